"""The day of a sale in the warehouse's time zone.

A date alone is taken as it is. A time with an offset is one instant; so is a time without one when the
source has a time zone: where clocks go back the earlier of two, where they go forward none.
"""

import polars as pl

from pipeline.landing.dates import TIME, has_time, look_of, parsed

_WITH_OFFSET = r":[0-9.]+ ?(?:Z|UTC|[+-][0-9:]+)$"


def sale_days(dates: pl.Series, format: str, source_zone: str | None, reporting_zone: str) -> pl.Series:
    """The days of trimmed texts in a format; null where a text is no such date, or no such time ever was.

    ``source_zone`` None takes times without an offset as they stand.
    """
    frame = dates.alias("text").to_frame()
    if source_zone is None and not dates.str.contains(_WITH_OFFSET).any():
        return frame.select(parsed("text", format)).to_series()
    look = look_of(format)
    if look is None:
        return frame.select(_in_own_format(format, source_zone, reporting_zone)).to_series()
    parts = frame.with_columns(pl.col("text").str.extract_groups(f"^({look}){TIME}$").alias("part"))
    day = pl.col("part").struct.field("1").str.to_date(format, strict=False)
    hour, minute, second, offset = (pl.col("part").struct.field(str(at)) for at in range(2, 6))
    moment = day.cast(pl.Datetime("us")) + pl.duration(
        hours=hour.cast(pl.Int64),
        minutes=minute.cast(pl.Int64),
        seconds=second.cast(pl.Int64).fill_null(0),
    )
    instant = (moment - _ahead(offset)).dt.replace_time_zone("UTC")
    return parts.select(
        pl.when(offset.is_not_null())
        .then(instant.dt.convert_time_zone(reporting_zone).dt.date())
        .when(hour.is_not_null())
        .then(_local_day(moment, source_zone, reporting_zone))
        .otherwise(day)
    ).to_series()


def _in_own_format(format: str, source_zone: str | None, reporting_zone: str) -> pl.Expr:
    """A declared format that is none of those that can be found out."""
    if not has_time(format):
        return parsed("text", format)
    moment = pl.col("text").str.to_datetime(format, strict=False, time_unit="us")
    return _local_day(moment, source_zone, reporting_zone)


def _local_day(moment: pl.Expr, source_zone: str | None, reporting_zone: str) -> pl.Expr:
    if source_zone is None:
        return moment.dt.date()
    instant = moment.dt.replace_time_zone(source_zone, ambiguous="earliest", non_existent="null")
    return instant.dt.convert_time_zone(reporting_zone).dt.date()


def _ahead(offset: pl.Expr) -> pl.Expr:
    """How far a clock with this offset (``Z``, ``UTC``, ``+02``, ``-0530``, ``+05:30``) is ahead of UTC."""
    digits = offset.str.replace_all("[^0-9]", "")
    minutes = digits.str.head(2).cast(pl.Int64, strict=False).fill_null(0) * 60
    minutes += digits.str.slice(2).cast(pl.Int64, strict=False).fill_null(0)
    return pl.duration(minutes=pl.when(offset.str.starts_with("-")).then(-minutes).otherwise(minutes))
