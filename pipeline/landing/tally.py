"""The counts of a file, and when they refuse it."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from pipeline.landing.contract import DUPLICATE
from pipeline.landing.errors import LandingError

REFUSAL_ROWS = 20


@dataclass
class Tally:
    """Counts of rows. ``reasons`` counts a quarantined row under its first reason."""

    rows_read: int = 0
    rows_accepted: int = 0
    rows_quarantined: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    first_sale_date: date | None = None
    last_sale_date: date | None = None

    def add(self, other: "Tally") -> None:
        """Count another part of the same file too."""
        self.rows_read += other.rows_read
        self.rows_accepted += other.rows_accepted
        self.rows_quarantined += other.rows_quarantined
        self.reasons.update(other.reasons)
        days = [
            day
            for tally in (self, other)
            for day in (tally.first_sale_date, tally.last_sale_date)
            if day is not None
        ]
        self.first_sale_date = min(days, default=None)
        self.last_sale_date = max(days, default=None)

    @property
    def rows_broken(self) -> int:
        """Quarantined rows that break the contract: duplicates apart."""
        return self.rows_quarantined - self.reasons[DUPLICATE]

    def require_balance(self, file_name: str) -> None:
        """Make sure that every row read was either accepted or quarantined.

        Raises:
            LandingError: a row was lost, or counted twice.
        """
        if self.rows_read != self.rows_accepted + self.rows_quarantined:
            raise LandingError(
                f"{file_name}: {self.rows_read:,} rows read, but {self.rows_accepted:,} accepted and "
                f"{self.rows_quarantined:,} quarantined; nothing was landed. "
                "This is a defect: please report it"
            )

    def refusal(self, limit: float) -> str | None:
        """Why the batch may not be landed, if so; ``limit`` is the share of broken rows it may have."""
        if self.rows_read == 0:
            return "the file has column names but no rows: there is nothing to load"
        if self.rows_accepted == 0:
            return f"none of the {self.rows_read:,} rows meets the contract{self._main_reasons()}"
        too_many = self.rows_broken > self.rows_read * limit
        if self.rows_broken > REFUSAL_ROWS and too_many:
            return (
                f"{self.rows_broken:,} of {self.rows_read:,} rows break the contract, more than the "
                f"{limit * 100:g} % that a file may have{self._main_reasons()}"
            )
        return None

    def _main_reasons(self) -> str:
        most = ", ".join(f"{reason} {count:,}" for reason, count in self.reasons.most_common(3))
        return f" ({most})" if most else ""
