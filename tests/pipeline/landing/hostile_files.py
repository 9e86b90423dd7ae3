"""Small files as people really have them, and what becomes of each.

``rows`` are (order, product, day, quantity, price, discount, region) of what is accepted, in file order;
``reasons`` are the quarantined rows by first reason; ``refused`` is how the message of a refusal begins;
``note`` is what a landed batch says it found out.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

HEADER = "Order ID,Product ID,Date of Sale,Quantity Sold,Unit Price,Discount,Region\n"
ROW = ("1", "P1", "2024-01-31", 2, "10.50", "0.1", "Asia")
TWO = "1,P1,2024-01-31,2,10.50,0.1,Asia\n2,P2,2024-02-01,-1,3,,\n"
ROWS = (ROW, ("2", "P2", "2024-02-01", -1, "3", "0", "Unspecified"))
GERMAN = "Bestellnr;Artikel;Datum;Menge;Preis;Rabatt;Land\n"
GERMAN_COLUMNS = {
    "order_id": "Bestellnr",
    "product_id": "Artikel",
    "sale_date": "Datum",
    "quantity": "Menge",
    "unit_price": "Preis",
    "discount": "Rabatt",
    "region": "Land",
}


@dataclass(frozen=True)
class Hostile:
    """One file."""

    name: str
    data: bytes
    settings: dict[str, Any] = field(default_factory=dict)
    rows: tuple[tuple[Any, ...], ...] = ()
    reasons: dict[str, int] = field(default_factory=dict)
    refused: str | None = None
    note: str | None = None


def line(region: str) -> tuple[Any, ...]:
    """The first row, with another region."""
    return (*ROW[:6], region)


def at(day: str) -> str:
    """The file with one row at this date."""
    return f"{HEADER}1,P1,{day},2,10.50,0.1,Asia\n"


def on(day: str) -> tuple[Any, ...]:
    return ("1", "P1", day, 2, "10.50", "0.1", "Asia")


def text(content: str, encoding: str = "utf-8") -> bytes:
    return content.encode(encoding)


ENCODINGS = (
    Hostile("plain", text(HEADER + TWO), rows=ROWS),
    Hostile("UTF-8 with a mark", text(HEADER + TWO, "utf-8-sig"), rows=ROWS),
    Hostile("UTF-16 with a mark", text(HEADER + TWO, "utf-16"), rows=ROWS),
    Hostile("UTF-16, big end first, with a mark", b"\xfe\xff" + text(HEADER + TWO, "utf-16-be"), rows=ROWS),
    Hostile("UTF-16 without a mark", text(HEADER + TWO, "utf-16-le"), rows=ROWS),
    Hostile("UTF-16, big end first, without a mark", text(HEADER + TWO, "utf-16-be"), rows=ROWS),
    Hostile(
        "UTF-16 that ends within a character",
        text(HEADER + TWO, "utf-16-le")[:-1],
        rows=(ROW,),
        reasons={"invalid_utf8": 1},
    ),
    Hostile(
        "cp1252, declared",
        text(HEADER + "1,P1,2024-01-31,2,10.50,0.1,Köln €\n", "cp1252"),
        {"encoding": "cp1252"},
        rows=(line("Köln €"),),
    ),
    Hostile(
        "a byte that cp1252 does not have",
        text(HEADER + TWO) + b"3,P\x81,2024-01-31,2,10.50,0.1,Asia\n",
        {"encoding": "cp1252"},
        rows=ROWS,
        reasons={"invalid_utf8": 1},
    ),
    Hostile(
        "MacRoman, declared",
        text(HEADER + "1,P1,2024-01-31,2,10.50,0.1,Málaga\n", "mac-roman"),
        {"encoding": "mac-roman"},
        rows=(line("Málaga"),),
    ),
    Hostile(
        "cp1252, detected",
        text(
            HEADER
            + "".join(f"{n},Ärmelschürze für Mädchen,2024-01-31,2,10.50,0.1,Köln\n" for n in range(1, 4)),
            "cp1252",
        ),
        rows=tuple((str(n), "Ärmelschürze für Mädchen", *ROW[2:6], "Köln") for n in range(1, 4)),
        note="read as cp1252, which is what its letters look like",
    ),
    Hostile(
        "UTF-8 with a damaged byte",
        text(HEADER + "1,P1,2024-01-31,2,10.50,0.1,Köln\n") + b"2,P\xff,2024-01-31,2,1,,\n",
        rows=(line("Köln"),),
        reasons={"invalid_utf8": 1},
    ),
    Hostile(
        "a mark against the declaration",
        text(HEADER + TWO, "utf-16"),
        {"encoding": "cp1252"},
        refused="the file begins as UTF-16-LE does, and sources.toml says cp1252",
    ),
)

LINES = (
    Hostile("CRLF", text((HEADER + TWO).replace("\n", "\r\n")), rows=ROWS),
    Hostile("CR alone", text((HEADER + TWO).replace("\n", "\r")), rows=ROWS),
    Hostile("CR alone in UTF-16", text((HEADER + TWO).replace("\n", "\r"), "utf-16"), rows=ROWS),
    Hostile("no line end at the end", text((HEADER + TWO).rstrip("\n")), rows=ROWS),
    Hostile("blank lines", text(f"\n\n{HEADER}\n{TWO}\n\n"), rows=ROWS),
    Hostile("a preamble", text(f"Sales report\nfrom 1 Jan, to 31 Jan\n\n{HEADER}{TWO}"), rows=ROWS),
    Hostile(
        "a repeated header",
        text(HEADER + TWO + HEADER + TWO.replace("1,P1", "3,P1").replace("2,P2", "4,P2")),
        rows=(*ROWS, ("3", *ROW[1:]), ("4", *ROWS[1][1:])),
        reasons={"repeated_header": 1},
    ),
    Hostile(
        "a line of totals", text(f"{HEADER}{TWO}Total,,,1,,,\n"), rows=ROWS, reasons={"product_id_missing": 1}
    ),
    Hostile(
        "a line of totals without its commas",
        text(f"{HEADER}{TWO}Total 18.00\n"),
        rows=ROWS,
        reasons={"too_few_fields": 1},
    ),
)

DELIMITERS = (
    Hostile("semicolons", text((HEADER + TWO).replace(",", ";")), rows=ROWS),
    Hostile("tabs", text((HEADER + TWO).replace(",", "\t")), rows=ROWS),
    Hostile("bars", text((HEADER + TWO).replace(",", "|")), rows=ROWS),
    Hostile(
        "semicolons with commas in the fields",
        text((HEADER + "1,P1,2024-01-31,2,10.50,0.1,A#B\n").replace(",", ";").replace("#", ",")),
        rows=(line("A,B"),),
    ),
    Hostile(
        "another delimiter than was said",
        text(HEADER + TWO),
        {"delimiter": ";"},
        refused="required columns are missing: Order ID,",
    ),
    Hostile(
        "quotes doubled",
        text(f'{HEADER}1,P1,2024-01-31,2,10.50,0.1,"The ""big"", one"\n'),
        rows=(line('The "big", one'),),
    ),
    Hostile(
        "quotes escaped",
        text(f'{HEADER}1,P1,2024-01-31,2,10.50,0.1,"The \\"big\\", one"\n'),
        {"escape": "\\"},
        rows=(line('The "big", one'),),
    ),
    Hostile(
        "quotes escaped, and nobody said so",
        text(f'{HEADER}{TWO}3,P1,2024-01-31,2,10.50,0.1,"The \\"big\\", one"\n'),
        rows=ROWS,
        reasons={"malformed_quotes": 1},
    ),
    Hostile(
        "a line within quotes",
        text(f'{HEADER}1,P1,2024-01-31,2,10.50,0.1,"North\nAmerica"\n'),
        rows=(line("North\nAmerica"),),
    ),
)

HEADERS = (
    Hostile(
        "other names",
        text(GERMAN + "1;P1;2024-01-31;2;10.50;0.1;Asia\n"),
        {"columns": GERMAN_COLUMNS},
        rows=(ROW,),
    ),
    Hostile(
        "other names, and nobody said so",
        text(GERMAN + "1;P1;2024-01-31;2;10.50;0.1;Asia\n"),
        refused="required columns are missing: Order ID, Product ID, Date of Sale, Quantity Sold, Unit Price.",
    ),
    Hostile(
        "a declared column is not there",
        text(HEADER + TWO),
        {"columns": {"customer_id": "Kunde"}},
        refused="required column is missing: Kunde.",
    ),
    Hostile(
        "a constant",
        text(
            "Order ID,Product ID,Date of Sale,Quantity Sold,Unit Price,Discount\n1,P1,2024-01-31,2,10.50,0.1\n"
        ),
        {"constants": {"region": "Online"}},
        rows=(line("Online"),),
    ),
    Hostile(
        "a constant for a column that is there",
        text(HEADER + TWO),
        {"constants": {"region": "Online"}},
        refused="the file has a column 'Region', and sources.toml gives region the constant 'Online'",
    ),
    Hostile(
        "a name twice",
        text(HEADER.replace("Region", "Region,region") + TWO),
        refused="the headers 'Region' and 'region' name the same column",
    ),
    Hostile(
        "names without meaning twice, and empty ones",
        text(HEADER.replace("\n", ",Note,Note,\n") + "1,P1,2024-01-31,2,10.50,0.1,Asia,a,b,c\n"),
        rows=(ROW,),
    ),
    Hostile("empty", b"", refused="the file is empty"),
    Hostile("column names alone", text(HEADER), refused="the file has column names but no rows"),
    Hostile("no text", b"\x00\x01\x02" * 100, refused="the file is no text"),
)

NUMBERS = (
    Hostile(
        "decimal commas",
        text(HEADER.replace(",", ";") + "1;P1;2024-01-31;2;10,50;0,1;Asia\n"),
        {"decimal_mark": ","},
        rows=(ROW,),
    ),
    Hostile(
        "a point where a comma is the mark",
        text(
            HEADER.replace(",", ";") + "1;P1;2024-01-31;2;10,50;0,1;Asia\n2;P1;2024-01-31;2;10.50;0,1;Asia\n"
        ),
        {"decimal_mark": ","},
        rows=(ROW,),
        reasons={"unit_price_invalid": 1},
    ),
    Hostile(
        "points between thousands",
        text(HEADER.replace(",", ";") + "1;P1;2024-01-31;1.000;1.234.567,89;0,1;Asia\n"),
        {"decimal_mark": ",", "thousands_mark": "."},
        rows=(("1", "P1", "2024-01-31", 1000, "1234567.89", "0.1", "Asia"),),
    ),
    Hostile(
        "a point that is not between thousands",
        text(HEADER.replace(",", ";") + "1;P1;2024-01-31;2;10,50;0,1;Asia\n2;P1;2024-01-31;2;10.50;;\n"),
        {"decimal_mark": ",", "thousands_mark": "."},
        rows=(ROW,),
        reasons={"unit_price_invalid": 1},
    ),
    Hostile(
        "commas between thousands",
        text(f'{HEADER}1,P1,2024-01-31,2,"1,000.50",0.1,Asia\n'),
        {"thousands_mark": ","},
        rows=(("1", "P1", "2024-01-31", 2, "1000.50", "0.1", "Asia"),),
    ),
    Hostile(
        "blanks that do not break between thousands",
        text(HEADER + "1,P1,2024-01-31,2,1\u202f000.50,0.1,Asia\n2,P1,2024-01-31,2,1\u00a0000,,\n"),
        {"thousands_mark": " "},
        rows=(
            ("1", "P1", "2024-01-31", 2, "1000.50", "0.1", "Asia"),
            ("2", "P1", "2024-01-31", 2, "1000", "0", "Unspecified"),
        ),
    ),
    Hostile(
        "percentages",
        text(
            HEADER
            + "1,P1,2024-01-31,2,10.50,10,Asia\n2,P1,2024-01-31,2,10.50,12.5 %,Asia\n3,P1,2024-01-31,2,10.50,.5%,Asia\n4,P1,2024-01-31,2,10.50,100,Asia\n5,P1,2024-01-31,2,10.50,101,Asia\n6,P1,2024-01-31,2,10.50,,Asia\n"
        ),
        {"discount": "percent"},
        rows=tuple(
            (order, "P1", "2024-01-31", 2, "10.50", discount, "Asia")
            for order, discount in (("1", "0.1"), ("2", "0.125"), ("3", "0.005"), ("4", "1"), ("6", "0"))
        ),
        reasons={"discount_out_of_range": 1},
    ),
    Hostile(
        "a currency beside the price",
        text(f"{HEADER}1,P1,2024-01-31,2,10.50 €,0.1,Asia\n{TWO}"),
        rows=ROWS,
        reasons={"unit_price_invalid": 1},
    ),
)

DATES = (
    Hostile(
        "days first",
        text(at("31.01.2024")),
        rows=(ROW,),
        note="dates read as %d.%m.%Y, the only format that fits every row",
    ),
    Hostile(
        "months first",
        text(at("1/31/2024")),
        rows=(ROW,),
        note="dates read as %m/%d/%Y, the only format that fits every row",
    ),
    Hostile(
        "years first, with slashes",
        text(at("2024/01/31")),
        rows=(ROW,),
        note="dates read as %Y/%m/%d, the only format that fits every row",
    ),
    Hostile(
        "digits alone",
        text(at("20240131")),
        rows=(ROW,),
        note="dates read as %Y%m%d, the only format that fits every row",
    ),
    Hostile(
        "months by name",
        text(at("31 Jan 2024")),
        rows=(ROW,),
        note="dates read as %d %b %Y, the only format that fits every row",
    ),
    Hostile(
        "with a time of day",
        text(at("31.01.2024 23:59")),
        rows=(ROW,),
        note="dates read as %d.%m.%Y, the only format that fits every row",
    ),
    Hostile(
        "either may come first",
        text(at("03/04/2024")),
        refused="the dates can be read in several ways: %d/%m/%Y reads '03/04/2024' as 2024-04-03; %m/%d/%Y reads '03/04/2024' as 2024-03-04; say which in sources.toml",
    ),
    Hostile(
        "either may come first, and it does not matter",
        text(at("03/03/2024")),
        rows=(on("2024-03-03"),),
        note="dates read as %d/%m/%Y; %m/%d/%Y would read every row the same",
    ),
    Hostile(
        "either may come first, and it was said",
        text(at("03/04/2024")),
        {"date_format": "%m/%d/%Y"},
        rows=(on("2024-03-04"),),
    ),
    Hostile(
        "two ways in one file",
        text(at("31.01.2024") + "2,P1,01.31.2024,2,1,,\n3,P1,30.01.2024,2,1,,\n"),
        refused="no date format fits every row: '01.31.2024' is not written as the dates before it",
    ),
    Hostile(
        "one way, as was said, and others",
        text(at("31.01.2024") + "2,P1,2024-01-31,2,1,,\n"),
        {"date_format": "%d.%m.%Y"},
        rows=(ROW,),
        reasons={"sale_date_invalid": 1},
    ),
    Hostile(
        "ISO and a day that is none",
        text(at("2024-01-31") + "2,P1,2024-02-30,2,1,,\n"),
        rows=(ROW,),
        reasons={"sale_date_invalid": 1},
    ),
    Hostile(
        "an offset",
        text(at("2024-01-31") + "2,P1,2024-01-31T23:30:00+02:00,2,1,,\n"),
        rows=(ROW, ("2", "P1", "2024-01-31", 2, "1", "0", "Unspecified")),
    ),
)

ALL = (*ENCODINGS, *LINES, *DELIMITERS, *HEADERS, *NUMBERS, *DATES)


def expected(hostile: Hostile) -> list[tuple[Any, ...]]:
    """The rows as Postgres has them."""
    return [
        (order, product, date.fromisoformat(day), quantity, Decimal(price), Decimal(discount), region)
        for order, product, day, quantity, price, discount, region in hostile.rows
    ]
