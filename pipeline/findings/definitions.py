"""What the figures of a report mean."""

from dataclasses import dataclass

from pipeline.answers.measures import MEASURES


@dataclass(frozen=True)
class Definition:
    """One figure: its title, its meaning in words, and its formula."""

    name: str
    title: str
    words: str
    formula: str


_OWN = (
    Definition("share", "Share", "The row's share of the period's net revenue.",
               "net_revenue of the row ÷ net_revenue of the period"),
    Definition("change", "Change", "The difference from the earlier period, and its share of that.",
               "value − earlier value; (value − earlier value) ÷ earlier value, where that is above 0"),
    Definition("new_customers", "New customers", "Customers without an older order than the period's.",
               "customers with an order in the period and none before it"),
    Definition("returning_customers", "Returning customers", "The other customers of the period.",
               "customers − new_customers"),
    Definition("repeat_customers", "Customers with several orders",
               "Those with two orders or more in the period.",
               "customers with at least two orders in the period"),
    Definition("repeat_rate", "Share with several orders", "Their share of the customers.",
               "repeat_customers ÷ customers"),
    Definition("segment", "Segment",
               "Customers alike in how recently, how often and for how much they bought in the period.",
               "scores of 1 to 5 by fifths of the customers: days from the last order to the period's end,"
               " orders, net revenue"),
    Definition("expected", "Expected",
               "What the same weekday of the weeks around suggests; a day with too few others to compare"
               " with is not judged.",
               "median net revenue of the same weekday in the 8 weeks before and after"),
    Definition("score", "Score",
               "How far a day is from what was expected; beyond 3.5 either way it is listed.",
               "(net_revenue − expected) ÷ the usual spread of such days (modified z-score, Iglewicz and"
               " Hoaglin 1993)"),
)  # fmt: skip

DEFINITIONS = {
    definition.name: definition
    for definition in (
        *(
            Definition(
                measure.name, measure.name.replace("_", " ").capitalize(), measure.words, measure.formula
            )
            for measure in MEASURES
            if measure.name != "share_of_total"
        ),
        *_OWN,
    )
}
