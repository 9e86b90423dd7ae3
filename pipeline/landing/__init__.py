"""Landing: bytes of a file → checked rows in the raw tables."""

from pipeline.landing.batches import close_orphans
from pipeline.landing.errors import LandingError
from pipeline.landing.loader import check, land
from pipeline.landing.models import BatchResult, LandingRequest, Progress, Reporting, RowProblem
from pipeline.landing.quarantine import QuarantinedRow

__all__ = [
    "BatchResult",
    "LandingError",
    "LandingRequest",
    "Progress",
    "QuarantinedRow",
    "Reporting",
    "RowProblem",
    "check",
    "close_orphans",
    "land",
]
