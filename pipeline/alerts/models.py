"""What an alert says."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal
from uuid import UUID

Event = Literal["failed", "late", "anomaly", "refused"]
EVENTS: tuple[Event, ...] = ("failed", "late", "anomaly", "refused")


@dataclass(frozen=True)
class Alert:
    """One thing that happened; ``key`` is the same whenever it is seen again."""

    key: str
    event: Event | Literal["test"]
    title: str
    detail: str
    build_id: int | None = None
    refresh_id: UUID | None = None
    batch_id: int | None = None
    data_as_of: date | None = None
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def links(self) -> dict[str, str]:
        """Where the API tells more, by what is found there."""
        found = {"builds": "/api/v1/builds", "batches": "/api/v1/batches"}
        if self.build_id is not None:
            found["build"] = f"/api/v1/builds/{self.build_id}"
        if self.refresh_id is not None:
            found["refresh"] = f"/api/v1/refreshes/{self.refresh_id}"
        if self.event == "anomaly":
            found["anomalies"] = "/api/v1/revenue/anomalies"
        return found

    @property
    def written_at(self) -> str:
        """When it was raised, in ISO 8601 and UTC."""
        return self.at.astimezone(UTC).isoformat(timespec="seconds")
