"""Dagster's queue of runs, looked at twice a second: its own setting knows whole seconds only."""

from dagster import QueuedRunCoordinator


class PromptQueue(QueuedRunCoordinator):
    """Dagster's queue, from which a run starts a quarter of a second after it was asked for, on average."""

    @property
    def dequeue_interval_seconds(self) -> int:
        """Seconds between two looks; Dagster itself waits in steps of half a second."""
        return 0.5  # type: ignore[return-value]
