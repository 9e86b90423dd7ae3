"""Questions to every route that answers callers of some regions, and lines to ask them about."""

from dataclasses import replace
from random import Random
from urllib.parse import urlencode
from zlib import crc32

from tests.api.published import Line, random_lines

RANGE = "start_date=2023-12-15&end_date=2024-03-20"
QUESTIONS: dict[str, tuple[str, ...]] = {
    "/api/v1/revenue": (
        "",
        *(
            f"group_by={name}"
            for name in ("product", "category", "region", "payment_method", "customer", "source")
        ),
        "group_by=region,product&sort=product,region",
        "group_by=category,payment_method&grain=month",
        "group_by=source,region&grain=quarter&compare=previous_period",
        "group_by=customer&sort=-orders&compare=previous_year",
        f"{RANGE}&compare=previous_period",
        f"{RANGE}&group_by=product&category=Shoes&payment_method=Card&sort=-customers",
        "product_id=P1&product_id=P2&customer_id=C3&source=default&group_by=product",
    ),
    "/api/v1/revenue/total": ("", RANGE, f"{RANGE}&compare=previous_period", "category=Shoes&source=web"),
    "/api/v1/revenue/by-product": ("", f"{RANGE}&grain=month", "category=50%25 off"),
    "/api/v1/revenue/by-category": ("", f"{RANGE}&compare=previous_year", "product_id=P3"),
    "/api/v1/revenue/by-region": ("", "grain=week&source=web", "customer_id=C1"),
    "/api/v1/revenue/trend": (
        "",
        "grain=day",
        "grain=week&group_by=region",
        "grain=month&compare=previous_period",
    ),
    "/api/v1/products": ("", "search=P1"),
    "/api/v1/products/top": ("", "within=region&n=2", f"within=category&by=quantity&{RANGE}", "n=500"),
    "/api/v1/products/margins": ("", RANGE, "category=Shoes&source=web"),
    "/api/v1/customers": ("", "search=c1"),
    "/api/v1/customers/summary": (
        "",
        RANGE,
        "group_by=region",
        f"{RANGE}&category=Shoes",
        f"{RANGE}&source=web",
    ),
    "/api/v1/orders": ("", RANGE, "order_id=7&order_id=8", "category=Shoes&customer_id=C1"),
    "/api/v1/orders/{order_id}": ("", "source=web"),
}
# Routes that answer limited callers, but are not made of lines.
OWN = {"/api/v1/exports", "/api/v1/exports/{export_id}", "/api/v1/exports/{export_id}/file"}


def asked() -> list[tuple[str, str]]:
    """Every route with every question."""
    return [(path, query) for path, queries in QUESTIONS.items() for query in queries]


def address(path: str, query: str, order_id: str = "7", **more: str) -> str:
    """The address of a question."""
    found = "&".join(part for part in (query.replace(" ", "+"), urlencode(more)) if part)
    return f"{path.format(order_id=order_id)}?{found}" if found else path.format(order_id=order_id)


def lines_of_regions() -> list[Line]:
    """Lines of three regions.

    What belongs to no region is the same in each: the range of the data (each has lines on its first and
    last day), and the names and categories of products and customers. An order is of one region: when it
    was, and whether it is a sale, is told of the whole order.
    """
    made = random_lines(Random(23), 260)
    days = [line.sale_date for line in made]
    regions, categories = ("Asia", "Europe", "Åland"), ("Shoes", "Books, maps", "50% off")
    lines = [
        replace(
            line,
            product_name=f"Name {line.product_id}",
            customer_name=f"Customer {line.customer_id}",
            region=regions[crc32(f"{line.source} {line.order_id}".encode()) % 3],
            category=categories[int(line.product_id[1:]) % 3],
        )
        for line in made
    ]
    return lines + [
        replace(lines[0], order_id=f"of {region} on {day}", region=region, sale_date=day, source="default")
        for region in regions
        for day in (min(days), max(days))
    ]
