"""The parameters that analyses share: which lines count, and how a list is paged."""

from typing import Any, TypedDict

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from api.answering import Asked, allowed_regions, wants_all
from api.parameters import DEFAULT_LIMIT, Cursor, IsoDate, Limit, Text
from api.services import services
from pipeline.answers.dimensions import FILTERS
from pipeline.answers.extras import PREFIX


class Range(Asked):
    """Which dates count."""

    start_date: IsoDate | None = Field(None, description="First day, inclusive; default the data's first.")
    end_date: IsoDate | None = Field(None, description="Last day, inclusive; default the data's last.")


class Filters(Range):
    """Which lines count; a repeated parameter is OR, different ones are AND."""

    product_id: list[Text] = Field(default=[], description="Product ids; repeat for OR.")
    category: list[Text] = Field(default=[], description="Categories as sold; repeat for OR.")
    region: list[Text] = Field(default=[], description="Regions; repeat for OR.")
    payment_method: list[Text] = Field(default=[], description="Payment methods; repeat for OR.")
    customer_id: list[Text] = Field(default=[], description="Customer ids; repeat for OR.")
    source: list[Text] = Field(default=[], description="Sources; repeat for OR.")


class ExtraFilters(Filters):
    """Filters, also by columns that a source declares: ``extra.NAME`` (repeat for OR)."""

    extra: SkipJsonSchema[dict[str, list[Text]]] = Field(default={})


class Paged(Asked):
    """Where in a list, and how much of it; files are always complete."""

    limit: Limit = DEFAULT_LIMIT
    cursor: Cursor = None


def asked_filters(asked: Filters) -> dict[str, Any]:
    """The filters that were given, by name, narrowed to the caller's regions."""
    given = {name: values for name in FILTERS if (values := getattr(asked, name))}
    if isinstance(asked, ExtraFilters):
        given |= {PREFIX + name: values for name, values in asked.extra.items()}
    return allowed_regions(given)


def lines_behind(asked: Filters) -> dict[str, Any]:
    """The query for the lines behind an answer."""
    dates = {name: getattr(asked, name) for name in ("start_date", "end_date") if getattr(asked, name)}
    return {name: str(value) for name, value in dates.items()} | asked_filters(asked)


def page_limit(asked: Paged) -> int | None:
    """The rows of a page; None for a file."""
    return None if wants_all(asked) else asked.limit


class Units(TypedDict):
    """What figures are counted in."""

    currency: str
    time_zone: str


def units() -> Units:
    """What the figures of this service are counted in."""
    settings = services().settings
    return Units(currency=settings.currency, time_zone=settings.time_zone)
