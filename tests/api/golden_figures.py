"""What every route answers over the six lines of the sample.

All figures are computed by hand from these lines (net = quantity × price × (1 − discount)):

    1001  2023-12-15  P123 Shoes        C456  North America  Credit Card  2 × 180.00  − 10 %  = 324.00    + 10
    1002  2024-01-03  P456 Electronics  C789  Europe         PayPal       1 × 1299.00         = 1299.00   + 15
    1003  2024-02-28  P789 Clothing     C456  Asia           Debit Card   3 × 59.99   − 20 %  = 143.976   + 5
    1004  2024-03-10  P123 Shoes        C101  South America  Credit Card  1 × 180.00          = 180.00    + 8
    1005  2024-04-22  P234 Electronics  C789  North America  PayPal       1 × 349.99  − 15 %  = 297.4915  + 12
    1006  2024-05-18  P456 Electronics  C101  Asia           Debit Card   2 × 1299.00 − 5 %   = 2468.10   + 20
                                                                                      in all  = 4712.5675 + 70
"""

from typing import Any

Row = dict[str, Any]

JOHN = {"id": "C456", "name": "John Smith"}
EMILY = {"id": "C789", "name": "Emily Davis"}
SARAH = {"id": "C101", "name": "Sarah Johnson"}
SHOES = {"id": "P123", "name": "UltraBoost Running Shoes"}
PHONE = {"id": "P456", "name": "iPhone 15 Pro"}
JEANS = {"id": "P789", "name": "Levi's 501 Jeans"}
HEADPHONES = {"id": "P234", "name": "Sony WH-1000XM5 Headphones"}


def measures(
    gross: str, discounts: str, net: str, shipping: str, total: str, orders: int, customers: int, units: int,
    average: str | None, share: str | None,
) -> Row:  # fmt: skip
    """A row of measures; nothing was returned, and no cost is known."""
    return {
        "gross_revenue": gross, "discounts": discounts, "returns": "0.00", "net_revenue": net,
        "shipping": shipping, "total_revenue": total, "tax": "0.00", "cost": None, "margin": None,
        "cost_coverage": None if average is None else "0.000000", "orders": orders, "return_orders": 0,
        "customers": customers, "units": units, "units_returned": 0, "net_units": units,
        "average_order_value": average, "share_of_total": share,
    }  # fmt: skip


# 4712.5675 ÷ 6 = 785.4279166…
TOTAL = measures("4966.96", "254.3925", "4712.5675", "70.00", "4782.5675", 6, 3, 10, "785.427917", "1.000000")
NOTHING = measures("0.00", "0.00", "0.00", "0.00", "0.00", 0, 0, 0, None, "0.000000")
# Two orders each; shares are of 4712.5675.
OF_PHONES = measures("3897.00", "129.90", "3767.10", "35.00", "3802.10", 2, 2, 3, "1883.550000", "0.799373")
OF_SHOES = measures("540.00", "36.00", "504.00", "18.00", "522.00", 2, 2, 3, "252.000000", "0.106948")
# One order each.
OF_1001 = measures("360.00", "36.00", "324.00", "10.00", "334.00", 1, 1, 2, "324.000000", "0.068752")
OF_1002 = measures("1299.00", "0.00", "1299.00", "15.00", "1314.00", 1, 1, 1, "1299.000000", "0.275646")
OF_1003 = measures("179.97", "35.994", "143.976", "5.00", "148.976", 1, 1, 3, "143.976000", "0.030551")
OF_1004 = measures("180.00", "0.00", "180.00", "8.00", "188.00", 1, 1, 1, "180.000000", "0.038196")
OF_1005 = measures("349.99", "52.4985", "297.4915", "12.00", "309.4915", 1, 1, 1, "297.491500", "0.063127")
OF_1006 = measures("2598.00", "129.90", "2468.10", "20.00", "2488.10", 1, 1, 2, "2468.100000", "0.523727")
BY_PRODUCT = [
    {"product": PHONE, **OF_PHONES},
    {"product": SHOES, **OF_SHOES},
    {"product": HEADPHONES, **OF_1005},
    {"product": JEANS, **OF_1003},
]
# 1003 and 1006 alike: Asia, and paid by debit card. 2612.076 ÷ 2.
OF_ASIA = measures("2777.97", "165.894", "2612.076", "25.00", "2637.076", 2, 2, 5, "1306.038000", "0.554279")
BY_REGION = [
    {"region": "Asia", **OF_ASIA},
    {"region": "Europe", **OF_1002},
    # 1001 and 1005: 621.4915 ÷ 2.
    {"region": "North America", **measures("709.99", "88.4985", "621.4915", "22.00", "643.4915", 2, 2, 3,
                                           "310.745750", "0.131880")},
    {"region": "South America", **OF_1004},
]  # fmt: skip
BY_CATEGORY = [
    # 1002, 1005 and 1006 of two customers: 4064.5915 ÷ 3 = 1354.86383…
    {"category": "Electronics", **measures("4246.99", "182.3985", "4064.5915", "47.00", "4111.5915", 3, 2, 4,
                                           "1354.863833", "0.862500")},
    {"category": "Shoes", **OF_SHOES},
    {"category": "Clothing", **OF_1003},
]  # fmt: skip


def month(start: str, end: str, *, is_partial: bool = False) -> Row:
    return {"start_date": start, "end_date": end, "is_partial": is_partial}


TREND = [
    {"bucket": month("2023-12-01", "2023-12-31"), **OF_1001},
    {"bucket": month("2024-01-01", "2024-01-31"), **OF_1002},
    {"bucket": month("2024-02-01", "2024-02-29"), **OF_1003},
    {"bucket": month("2024-03-01", "2024-03-31"), **OF_1004},
    {"bucket": month("2024-04-01", "2024-04-30"), **OF_1005},
    {"bucket": month("2024-05-01", "2024-05-31", is_partial=True), **OF_1006},
]
# 1002 and 1005 of one customer: 1596.4915 ÷ 2.
OF_PAYPAL = measures(
    "1648.99", "52.4985", "1596.4915", "27.00", "1623.4915", 2, 1, 2, "798.245750", "0.338773"
)
BY_PAYMENT = [
    {"payment_method": "Debit Card", **OF_ASIA},
    {"payment_method": "PayPal", **OF_PAYPAL},
    {"payment_method": "Credit Card", **OF_SHOES},
]


def margin(product: Row, net: str, units: int) -> Row:
    return {
        "product": product, "net_revenue": net, "cost": None, "margin": None, "margin_rate": None,
        "cost_coverage": "0.000000", "net_units": units,
    }  # fmt: skip


def product(id_: str, name: str, category: str) -> Row:
    return {
        "product_id": id_, "product_name": name, "category": category, "own_category": category,
        "categories": [category], "list_price": None, "description": None, "attributes": None,
    }  # fmt: skip


def customer(named: Row, email: str, address: str) -> Row:
    return {
        "customer_id": named["id"], "customer_name": named["name"], "customer_email": email,
        "customer_address": address, "attributes": None,
    }  # fmt: skip


def line(
    order: str, day: str, product: Row, category: str, customer: Row, region: str, payment: str,
    quantity: int, price: str, discount: str, shipping: str, gross: str, discounts: str, net: str,
) -> Row:  # fmt: skip
    """A line of the sample, which begins with a header and holds the orders from 1001 on."""
    return {
        "sale_date": day, "source": "default", "order_id": order, "product": product, "occurrence": 1,
        "line_key": f"{product['id']} #1",
        "category": category, "customer": customer, "region": region, "payment_method": payment,
        "quantity": quantity, "unit_price": price, "discount": discount, "shipping": shipping,
        "unit_cost": None, "gross_revenue": gross, "discounts": discounts, "returns": "0.00",
        "net_revenue": net, "tax": "0.00", "cost": None, "batch_id": 1, "file_name": "sales_sample.csv",
        "row_number": int(order) - 999,
    }  # fmt: skip


LINES = [
    line("1006", "2024-05-18", PHONE, "Electronics", SARAH, "Asia", "Debit Card", 2, "1299.00", "0.050000",
         "20.00", "2598.00", "129.90", "2468.10"),
    line("1005", "2024-04-22", HEADPHONES, "Electronics", EMILY, "North America", "PayPal", 1, "349.99",
         "0.150000", "12.00", "349.99", "52.4985", "297.4915"),
    line("1004", "2024-03-10", SHOES, "Shoes", SARAH, "South America", "Credit Card", 1, "180.00", "0.000000",
         "8.00", "180.00", "0.00", "180.00"),
    line("1003", "2024-02-28", JEANS, "Clothing", JOHN, "Asia", "Debit Card", 3, "59.99", "0.200000",
         "5.00", "179.97", "35.994", "143.976"),
    line("1002", "2024-01-03", PHONE, "Electronics", EMILY, "Europe", "PayPal", 1, "1299.00", "0.000000",
         "15.00", "1299.00", "0.00", "1299.00"),
    line("1001", "2023-12-15", SHOES, "Shoes", JOHN, "North America", "Credit Card", 2, "180.00", "0.100000",
         "10.00", "360.00", "36.00", "324.00"),
]  # fmt: skip


def value(customer: Row, cohort: str, first: str, last: str, net: str) -> Row:
    """Two orders each; predictions are tested with the models."""
    return {
        "customer": customer, "cohort": cohort, "first_order_date": first, "last_order_date": last,
        "orders": 2, "net_revenue": net, "cost": None, "margin": None, "cost_coverage": "0.000000",
    }  # fmt: skip


VALUES = [
    value(SARAH, "2024-03-01", "2024-03-10", "2024-05-18", "2648.10"),
    value(EMILY, "2024-01-01", "2024-01-03", "2024-04-22", "1596.4915"),
    value(JOHN, "2023-12-01", "2023-12-15", "2024-02-28", "467.976"),
]


def member(customer: Row, segment: str, last: str, days: int, net: str, recency: int, monetary: int) -> Row:
    return {
        "customer": customer, "segment": segment, "last_order_date": last, "recency_days": days, "orders": 2,
        "net_revenue": net, "recency_score": recency, "frequency_score": 1, "monetary_score": monetary,
    }  # fmt: skip


# Cut points are the values at ranks ⌈3 × 0.2⌉ = 1, ⌈1.2⌉ = 2, ⌈1.8⌉ = 2 and ⌈2.4⌉ = 3 of three: days 0, 26,
# 26, 80; orders 2; money 467.976, 1596.4915, 1596.4915, 2648.10. All have two orders, the lowest score.
MEMBERS = [
    member(SARAH, "loyal", "2024-05-18", 0, "2648.10", 5, 4),
    member(EMILY, "potential_loyalists", "2024-04-22", 26, "1596.4915", 4, 2),
    member(JOHN, "hibernating", "2024-02-28", 80, "467.976", 2, 1),
]


def segment(name: str, days: str, net: str, share: str, mean: str) -> Row:
    return {
        "segment": name, "customers": 1, "share_of_customers": "0.333333", "orders": 2, "net_revenue": net,
        "share_of_total": share, "mean_recency_days": days, "mean_orders": "2.000000",
        "mean_net_revenue": mean,
    }  # fmt: skip


def cohort(start: str, since: int, bucket: Row, net: str) -> Row:
    """One customer each, with at most one order a month."""
    count = int(net != "0.00")
    return {
        "cohort": start, "cohort_customers": 1, "months_since": since, "bucket": bucket, "customers": count,
        "retention": f"{count}.000000", "orders": count, "net_revenue": net,
    }  # fmt: skip


COHORTS = [
    *(cohort("2023-12-01", since, TREND[since]["bucket"], net)
      for since, net in enumerate(("324.00", "0.00", "143.976", "0.00", "0.00", "0.00"))),
    *(cohort("2024-01-01", since, TREND[since + 1]["bucket"], net)
      for since, net in enumerate(("1299.00", "0.00", "0.00", "297.4915", "0.00"))),
    *(cohort("2024-03-01", since, TREND[since + 3]["bucket"], net)
      for since, net in enumerate(("180.00", "0.00", "2468.10"))),
]  # fmt: skip


def day(sale_date: str, weekday: int, net: str, spread: str, score: str) -> Row:
    return {
        "sale_date": sale_date, "weekday": weekday, "net_revenue": net, "expected": "0.00", "spread": spread,
        "score": score, "is_anomaly": True,
    }  # fmt: skip


# On such days nothing is usual, so the other days with revenue within 56 days are the measure.
ANOMALIES = [
    # (324 + 143.976) ÷ 2; 1299 ÷ 233.988.
    day("2024-01-03", 3, "1299.00", "233.988", "5.551567"),
    # 2468.1 ÷ 297.4915.
    day("2024-05-18", 6, "2468.10", "297.4915", "8.296371"),
]


def change(sale_date: str, measure: str, new: str) -> Row:
    old = "0.00" if "." in new else "0"
    return {
        "sale_date": sale_date, "measure": measure, "old": old, "new": new, "difference": new,
        "batch_ids": [],
    }  # fmt: skip


CHANGES = [
    change(sale_date, measure, new)
    for sale_date, net, gross, discounts, shipping, units in (
        ("2023-12-15", "324.00", "360.00", "36.00", "10.00", "2"),
        ("2024-01-03", "1299.00", "1299.00", None, "15.00", "1"),
        ("2024-02-28", "143.976", "179.97", "35.994", "5.00", "3"),
        ("2024-03-10", "180.00", "180.00", None, "8.00", "1"),
        ("2024-04-22", "297.4915", "349.99", "52.4985", "12.00", "1"),
        ("2024-05-18", "2468.10", "2598.00", "129.90", "20.00", "2"),
    )
    for measure, new in (
        ("net_revenue", net), ("gross_revenue", gross), ("discounts", discounts), ("shipping", shipping),
        ("units", units),
    ) if new is not None
]  # fmt: skip

SUMMARY = {
    "customers": 3, "new_customers": 3, "returning_customers": 0, "repeat_customers": 3,
    "repeat_rate": "1.000000", "orders": 6, "net_revenue": "4712.5675", "average_order_value": "785.427917",
}  # fmt: skip
# Without 1001: C456 is no new customer, and has one order; 4388.5675 ÷ 5.
SUMMARY_2024 = {
    "customers": 3, "new_customers": 2, "returning_customers": 1, "repeat_customers": 2,
    "repeat_rate": "0.666667", "orders": 5, "net_revenue": "4388.5675", "average_order_value": "877.713500",
}  # fmt: skip

EXACT: dict[str, tuple[str, Any]] = {
    "/api/v1/revenue": ("?group_by=payment_method", BY_PAYMENT),
    "/api/v1/revenue/total": ("", TOTAL),
    "/api/v1/revenue/by-product": ("", BY_PRODUCT),
    "/api/v1/revenue/by-category": ("", BY_CATEGORY),
    "/api/v1/revenue/by-region": ("", BY_REGION),
    "/api/v1/revenue/trend": ("", TREND),
    "/api/v1/revenue/anomalies": ("", ANOMALIES),
    "/api/v1/products/top": (
        # P789 has three units, too, and a greater id.
        "?n=2&by=quantity",
        [{"rank": 1, "product": SHOES, **OF_SHOES}, {"rank": 2, "product": PHONE, **OF_PHONES}],
    ),
    "/api/v1/products/margins": (
        "",
        [margin(PHONE, "3767.10", 3), margin(SHOES, "504.00", 3), margin(HEADPHONES, "297.4915", 1),
         margin(JEANS, "143.976", 3)],
    ),
    "/api/v1/products": (
        "",
        [product("P123", "UltraBoost Running Shoes", "Shoes"),
         product("P234", "Sony WH-1000XM5 Headphones", "Electronics"),
         product("P456", "iPhone 15 Pro", "Electronics"), product("P789", "Levi's 501 Jeans", "Clothing")],
    ),
    "/api/v1/customers": (
        "",
        [customer(SARAH, "sarahjohnson@email.com", "789 Oak St, New City, TX 75024"),
         customer(JOHN, "johnsmith@email.com", "123 Main St, Anytown, CA 12345"),
         customer(EMILY, "emilydavis@email.com", "456 Elm St, Otherville, NY 54321")],
    ),
    "/api/v1/customers/summary": ("", [SUMMARY]),
    "/api/v1/customers/segments": ("?members=true", MEMBERS),
    "/api/v1/customers/cohorts": ("", COHORTS),
    "/api/v1/orders": ("", LINES),
    "/api/v1/orders/<path:order_id>": ("/1003", [LINES[3]]),
    "/api/v1/builds/<int:build_id>/changes": ("/1/changes", CHANGES),
}  # fmt: skip
# What depends on the moment or on a fitted model is left out.
PARTS: dict[str, tuple[str, Any]] = {
    "/api/v1/customers/lifetime-value": ("", VALUES),
    "/api/v1/builds": (
        "",
        [{"build_id": 1, "status": "published", "is_full": True, "data_as_of": "2024-05-18", "lines_added": 6,
          "lines_removed": 0, "net_revenue_before": "0.00", "net_revenue_after": "4712.5675",
          "failed_checks": [], "batch_ids": [1]}],
    ),
    "/api/v1/builds/<int:build_id>": ("/1", {"build_id": 1, "net_revenue_after": "4712.5675"}),
    "/api/v1/batches": (
        "",
        [{"batch_id": 1, "status": "landed", "file_name": "sales_sample.csv", "rows_read": 6,
          "rows_accepted": 6, "rows_quarantined": 0, "reasons": {}, "first_sale_date": "2023-12-15",
          "last_sale_date": "2024-05-18", "build_id": 1}],
    ),
    "/api/v1/refreshes": ("", [{"status": "succeeded", "message": "Build 1 published.", "build_id": 1}]),
}  # fmt: skip
# Tested with what they need: a job of their own, a caller, or no data at all.
ELSEWHERE = {
    "/api/v1", "/docs", "/docs/<name>", "/lineage", "/openapi.json", "/healthz", "/readyz", "/metrics",
    "/problems/<code>", "/api/v1/batches/<int:batch_id>/rejects", "/sign-in",
    "/api/v1/definitions", "/api/v1/auth/me",
    "/api/v1/refreshes/<uuid:refresh_id>", "/api/v1/refreshes/<uuid:refresh_id>/logs",
    "/api/v1/imports", "/api/v1/imports/<uuid:import_id>", "/api/v1/imports/<uuid:import_id>/rejects",
    "/api/v1/exports", "/api/v1/exports/<uuid:export_id>", "/api/v1/exports/<uuid:export_id>/file",
    "/api/v1/findings", "/api/v1/findings/builds", "/api/v1/findings/builds/<int:build_id>",
}  # fmt: skip
