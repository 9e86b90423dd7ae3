"""The forms of the answers about customers' value, segments and cohorts."""

from datetime import date

from pydantic import Field

from pipeline.answers.models import Meta, Model, Money, PageInfo, Ratio
from pipeline.answers.revenue_models import BucketModel, Named
from pipeline.answers.segments import SegmentName


class CustomerValueRow(Model):
    """One customer with an order in the range. Predictions are null where the model has none."""

    customer: Named
    cohort: date = Field(description="The month of the first order of all.")
    first_order_date: date = Field(description="Of the orders in the range.")
    last_order_date: date = Field(description="Of the orders in the range.")
    orders: int
    net_revenue: Money
    cost: Money | None
    margin: Money | None = Field(description="Over the lines whose cost is known; null when none is.")
    cost_coverage: Ratio | None = Field(description="The share of net revenue whose cost is known.")
    predicted_purchases: Ratio | None = Field(description="Days with orders to expect in the horizon.")
    probability_alive: Ratio | None = Field(description="That the customer has not left for ever.")
    predicted_mean_value: Ratio | None = Field(description="Net revenue to expect of such a day.")
    predicted_value: Ratio | None = Field(description="Net revenue to expect in the horizon.")


class ValueTotals(Model):
    """Sums and means over customers; predictions over those that have one."""

    customers: int
    orders: int
    net_revenue: Money
    cost: Money | None
    margin: Money | None
    cost_coverage: Ratio | None
    mean_net_revenue: Ratio | None = Field(description="net_revenue ÷ customers.")
    mean_margin: Ratio | None = Field(description="margin ÷ customers.")
    predicted_purchases: Ratio | None
    predicted_value: Ratio | None


class CohortValueRow(ValueTotals):
    """The customers of the range whose first order of all was in one month."""

    cohort: date = Field(description="The first day of the month.")


class PurchasesModel(Model):
    """BG/NBD; time in weeks."""

    r: Ratio
    alpha: Ratio
    a: Ratio
    b: Ratio
    log_likelihood: Ratio
    at_limit: list[str] = Field(description="Parameters that the data would have go on for ever.")


class ValueModel(Model):
    """Gamma-Gamma; `customers` are those with repeat purchases of a value above 0."""

    p: Ratio
    q: Ratio
    gamma: Ratio
    log_likelihood: Ratio
    customers: int
    correlation: Ratio | None = Field(
        description="Of repeat purchases and their mean value; the model takes it for 0."
    )
    at_limit: list[str] = Field(description="Parameters that the data would have go on for ever.")


class HoldoutModel(Model):
    """How a model of the purchases until `calibration_end` foretold those until `end_date`."""

    calibration_end: date
    end_date: date
    customers: int
    predicted_purchases: Ratio
    actual_purchases: int
    relative_error: Ratio | None = Field(description="predicted ÷ actual − 1.")
    mean_absolute_error: Ratio = Field(description="Per customer, in purchases.")
    root_mean_squared_error: Ratio = Field(description="Per customer, in purchases.")


class LifetimeModel(Model):
    """What the predictions rest on."""

    method: str
    calibration_end: date = Field(description="The last day whose purchases were fitted.")
    horizon_weeks: int = Field(description="The weeks after it that are predicted.")
    customers: int
    repeat_customers: int = Field(description="Those who bought again on a later day.")
    purchases: PurchasesModel | None
    value: ValueModel | None
    reason: str | None = Field(description="Why a part could not be fitted.")
    holdout: HoldoutModel | None


class LifetimeMeta(Meta):
    """Meta, the model and the totals over all pages."""

    model: LifetimeModel | None
    totals: ValueTotals


class LifetimeList(Model):
    """Customers, or cohorts of them."""

    data: list[CustomerValueRow | CohortValueRow]
    meta: LifetimeMeta
    page: PageInfo


class SegmentRow(Model):
    """One segment."""

    segment: SegmentName
    customers: int
    share_of_customers: Ratio | None
    orders: int
    net_revenue: Money
    share_of_total: Ratio | None = Field(description="Of the net revenue of all segments.")
    mean_recency_days: Ratio | None
    mean_orders: Ratio | None
    mean_net_revenue: Ratio | None


class MemberRow(Model):
    """One customer; scores run from 1 to 5, the best."""

    customer: Named
    segment: SegmentName
    last_order_date: date
    recency_days: int = Field(description="Days from the last order to the as-of date.")
    orders: int
    net_revenue: Money
    recency_score: int
    frequency_score: int
    monetary_score: int


class CutPoints(Model):
    """The last value of the scores 1 to 4 (of recency, which falls: 5 to 2)."""

    recency_days: list[int]
    frequency: list[int]
    monetary: list[Money]


class Segmentation(Model):
    """What the scores rest on; no cut points without customers."""

    as_of: date | None
    fractions: list[Ratio]
    cut_points: CutPoints


class SegmentsMeta(Meta):
    """Meta and the cut points."""

    segmentation: Segmentation


class SegmentList(Model):
    """Segments, or their members."""

    data: list[SegmentRow | MemberRow]
    meta: SegmentsMeta
    page: PageInfo


class CohortRow(Model):
    """One cohort in one month."""

    cohort: date = Field(description="The month of the first orders, by its first day.")
    cohort_customers: int = Field(description="Customers whose first order was in that month.")
    months_since: int = Field(description="0 in the cohort's own month.")
    bucket: BucketModel
    customers: int = Field(description="Those of them with an order in this month.")
    retention: Ratio = Field(description="customers ÷ cohort_customers.")
    orders: int
    net_revenue: Money


class CohortList(Model):
    """Cohorts, month by month."""

    data: list[CohortRow]
    meta: Meta
    page: PageInfo
