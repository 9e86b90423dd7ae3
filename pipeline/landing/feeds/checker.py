"""The rows of a feed besides order lines: one raw table, one row each."""

import polars as pl

from pipeline.landing.checker import RowChecker, blank_as_null
from pipeline.landing.chunks import Chunk
from pipeline.landing.columns import ColumnMap
from pipeline.landing.dates import ISO
from pipeline.landing.feeds.feed import Feed
from pipeline.landing.models import Reporting
from pipeline.landing.numerals import plain_numbers
from pipeline.landing.zones import sale_days
from pipeline.sources import FEEDS, SourceSettings

_POINT_ZERO = r"\.0*$"


class FeedChecker(RowChecker):
    """Checks the rows of one file of a feed."""

    def __init__(
        self, feed: Feed, columns: ColumnMap, settings: SourceSettings, reporting: Reporting | None = None
    ) -> None:
        super().__init__(columns, settings, reporting)
        self.contract = feed.contract
        self._feed = feed
        self._known = FEEDS[settings.feed]

    def values(self, chunk: Chunk) -> pl.DataFrame:
        """The rows under our names, trimmed, with the date and the whole quantity beside their text."""
        frame = chunk.text.select(
            pl.int_range(pl.len(), dtype=pl.UInt32).alias("position"),
            pl.Series("row_number", chunk.row_number),
            pl.Series("damage", chunk.damage),
            *(self._text(name) for name in self._known.columns),
        ).with_columns(plain_numbers(self._settings))
        if self._known.date is not None:
            frame = frame.with_columns(self._dates(frame[self._known.date]))
        if "quantity" in frame.columns:
            whole = pl.col("quantity").str.replace(_POINT_ZERO, "").cast(pl.Int64, strict=False)
            frame = frame.with_columns(whole.alias("quantity_number"))
        return frame

    def tables(self, accepted: pl.DataFrame) -> tuple[tuple[str, pl.DataFrame], ...]:
        """The rows as their table has them."""
        parsed_columns = self._feed.parsed
        kept = [
            name for name in self._known.columns if name not in (*parsed_columns.values(), self._known.date)
        ]
        frame = accepted.select(
            "row_number",
            *(blank_as_null(name) for name in kept),
            *(pl.col(name).alias(stored) for name, stored in parsed_columns.items()),
            "extra",
        )
        return ((self._feed.table, frame),)

    def _text(self, name: str) -> pl.Expr:
        if name not in self._columns.positions:
            return pl.lit(self._columns.constants.get(name, "")).alias(name)
        return pl.col(str(self._columns.positions[name])).str.strip_chars().alias(name)

    def _dates(self, dates: pl.Series) -> list[pl.Series]:
        """The day, and the text as the same date in ISO, which is how the contract judges it."""
        settings = self._settings
        day = sale_days(dates, settings.date_format or ISO, settings.time_zone, self._reporting.time_zone)
        text = day.cast(pl.String).fill_null(dates)
        return [day.alias("day"), text.alias("date_text")]
