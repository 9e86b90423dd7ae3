"""What can be said of a source; what is left out is as in a file of the challenge's form."""

import codecs
from datetime import date
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)

from pipeline.sources.feeds import OTHER_FEEDS, FeedColumns, FeedName

# Our name → the header as people know it.
COLUMNS = MappingProxyType(
    {
        "order_id": "Order ID",
        "product_id": "Product ID",
        "customer_id": "Customer ID",
        "product_name": "Product Name",
        "category": "Category",
        "region": "Region",
        "sale_date": "Date of Sale",
        "quantity": "Quantity Sold",
        "unit_price": "Unit Price",
        "discount": "Discount",
        "shipping": "Shipping Cost",
        "payment_method": "Payment Method",
        "customer_name": "Customer Name",
        "customer_email": "Customer Email",
        "customer_address": "Customer Address",
        "unit_cost": "Unit Cost",
        "store_id": "Store ID",
        "line_id": "Line ID",
        "currency": "Currency",
        "tax": "Tax",
        "tax_rate": "Tax Rate",
    }
)
# It decides which line a row is, so that its usual header alone does not say it.
ONLY_WHEN_MAPPED = "line_id"
REQUIRED_COLUMNS = ("order_id", "product_id", "sale_date", "quantity", "unit_price")
ORDER_LINES = "order_lines"
_NUMBERS = ("quantity", "unit_price", "discount", "shipping", "unit_cost", "tax", "tax_rate")
FEEDS = MappingProxyType(
    {ORDER_LINES: FeedColumns(COLUMNS, REQUIRED_COLUMNS, _NUMBERS, date="sale_date"), **OTHER_FEEDS}
)
# Each byte of these is one character, so that a damaged one costs its own row alone.
ENCODINGS = ("utf-8", "utf-16", "cp1250", "cp1252", "iso8859-1", "iso8859-15", "mac-roman")
_DIRECTIVES = frozenset("dmyYbBHMSfpIj%")


def _known_columns(columns: dict[str, str], info: ValidationInfo) -> dict[str, str]:
    feed = info.data.get("feed")
    # A feed that is none is told of already.
    for name in columns if feed else ():
        known = FEEDS[feed].columns
        if name not in known:
            raise ValueError(f"there is no column {name!r}; there are {', '.join(known)}")
    return columns


def _known_encoding(name: str) -> str:
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):
        found = ""
    if found not in ENCODINGS:
        raise ValueError(f"{name!r} is none of the encodings that can be read: {', '.join(ENCODINGS)}")
    return found


def _date_format(text: str) -> str:
    directives = {text[at + 1 : at + 2] for at, character in enumerate(text) if character == "%"}
    has_day = {"d", "m"} <= directives or {"d", "b"} <= directives or {"d", "B"} <= directives
    if not directives <= _DIRECTIVES or not has_day or not directives & {"y", "Y"}:
        raise ValueError(
            f"{text!r} is no date format: it needs day, month and year, as in "
            f"{date(2024, 1, 31):%d.%m.%Y} = %d.%m.%Y"
        )
    return text


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone; it is called as in Europe/Berlin") from error
    return name


def _title(name: str) -> str:
    if "," in name or name != name.strip():
        raise ValueError(f"{name!r} cannot be asked for: no commas, and no blanks at its ends")
    return name


def _words(value: Any) -> Any:
    return {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}.get(value, value)


Text = Annotated[str, Field(min_length=1, max_length=200)]
Value = Annotated[str, Field(max_length=200)]
ByColumn = Annotated[dict[str, Text], AfterValidator(_known_columns)]
ValueByColumn = Annotated[dict[str, Value], AfterValidator(_known_columns)]
Delimiter = Annotated[Literal[",", ";", "\t", "|"], BeforeValidator(_words)]


class SourceSettings(BaseModel):
    """How the files of one source are written, and taken in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    feed: FeedName = Field(default="order_lines", description="What kind of record its files have.")
    mode: Literal["append", "overwrite"] = "append"
    delivery: Literal["partial", "full"] = Field(
        default="partial",
        description="full: each overwrite is everything there is, and lands as what it changes.",
    )
    duplicate_rows: Literal["quarantine", "keep"] = "quarantine"
    quarantine_limit: float = Field(
        default=0.1, ge=0, le=1, description="The share of broken rows beyond which a file is refused."
    )
    columns: ByColumn = Field(default={}, description="Our column → the file's header.")
    constants: ValueByColumn = Field(default={}, description="Values of columns that the file lacks.")
    extra: tuple[Annotated[Text, AfterValidator(_title)], ...] = Field(
        default=(), description="Other columns of the file that revenue can be grouped and filtered by."
    )
    new_columns: Literal["keep", "warn", "refuse"] = Field(
        default="keep", description="What a column that the source's last file did not have means."
    )
    encoding: Annotated[str, AfterValidator(_known_encoding)] | None = Field(
        default=None, description="By default UTF-8, or what the file's beginning or its bytes say."
    )
    delimiter: Delimiter | None = Field(default=None, description="By default the one that fits the header.")
    escape: Literal["\\"] | None = Field(
        default=None, description="What stands before a quote inside quotes."
    )
    decimal_mark: Literal[".", ","] = "."
    thousands_mark: Literal[",", ".", " ", "'"] | None = None
    date_format: Annotated[str, AfterValidator(_date_format)] | None = Field(
        default=None, description="As for strftime; by default ISO, or the only one that fits every row."
    )
    time_zone: Annotated[str, AfterValidator(_time_zone)] | None = Field(
        default=None, description="Of times without an offset; by default they are taken as they stand."
    )
    discount: Literal["fraction", "percent", "amount_per_unit", "amount_per_line"] = "fraction"
    negative_quantity: Literal["return", "sale", "quarantine"] = Field(
        default="return",
        description="sale: what is sold stands below zero, what comes back above it.",
    )
    shipping: Literal["per_line", "per_order"] = Field(
        default="per_line", description="per_order: each line repeats the order's; it is counted once."
    )
    prices_include_tax: bool = Field(
        default=False, description="Revenue is then net of the tax that a row or a rate states."
    )
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = Field(
        default=None, description="Must be the warehouse's; a source in another one is refused."
    )

    @model_validator(mode="after")
    def _is_clear(self) -> Self:
        both = self.columns.keys() & self.constants.keys()
        if both:
            raise ValueError(f"{sorted(both)[0]} has a header and a constant: say one of them")
        headers = [header.strip().casefold() for header in self.columns.values()]
        twice = sorted({header for header in headers if headers.count(header) > 1})
        if twice:
            raise ValueError(f"two columns have the header {twice[0]!r}")
        if self.delivery == "full" and self.mode != "overwrite":
            raise ValueError('delivery = "full" needs mode = "overwrite"')
        if self.feed != ORDER_LINES and self.mode == "overwrite":
            raise ValueError(f"{self.feed} are only added and corrected: mode must be append")
        if ONLY_WHEN_MAPPED in self.constants:
            raise ValueError("line_id tells the lines of an order apart: it cannot be a constant")
        if self.thousands_mark == self.decimal_mark:
            raise ValueError("decimal_mark and thousands_mark are the same")
        return self

    @property
    def is_described(self) -> bool:
        """Whether it was said how the source's files are, and not only how a delivery is taken in."""
        how_taken_in = {"feed", "mode", "delivery", "duplicate_rows", "quarantine_limit"}
        return bool(self.model_fields_set - how_taken_in)

    @property
    def options(self) -> dict[str, Any]:
        """What changes how a file is read, as far as it was said; kept with its batch, as its feed is."""
        how_taken_in = {"feed", "mode", "delivery", "quarantine_limit", "new_columns"}
        said = self.model_dump(mode="json", exclude=how_taken_in, exclude_defaults=True)
        return {"duplicate_rows": self.duplicate_rows} | said
