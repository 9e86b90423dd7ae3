"""Charts: what is in them, told by their elements."""

from concurrent.futures import ThreadPoolExecutor

from pipeline.findings import charts
from tests.pipeline.findings.pages import elements_of

VALUES = [("Asia", 2612.076), ("A name of more than twenty-four letters", -20.0), ("Europe", 0.0)]


def test_a_chart_has_a_title_a_description_and_its_names_as_text() -> None:
    elements = elements_of(charts.bars("x", "By region", "A bar for each.", VALUES))
    assert [element.text for element in elements[:3] if element.tag in ("title", "desc")] == [
        "By region",
        "A bar for each.",
    ]
    assert elements[0].attributes["aria-labelledby"] == "x-title x-description"
    assert "width" not in elements[0].attributes
    texts = [element.text for element in elements if element.tag == "text"]
    assert {"Asia", "A name of more than…", "Europe"} <= set(texts)
    assert "2K" in texts
    assert all(element.tag != "metadata" for element in elements)


def test_what_is_below_zero_has_another_colour() -> None:
    html = charts.bars("x", "t", "d", VALUES)
    assert (html.count(charts._BELOW), html.count(charts._ABOVE)) == (1, 2)


def test_an_axis_of_time_has_few_marks_and_triangles_where_asked() -> None:
    days = [(f"{number} Apr", float(number)) for number in range(1, 31)]
    plain = elements_of(charts.over_time("x", "t", "d", days))
    marked = elements_of(charts.over_time("x", "t", "d", days, [3, 4]))
    texts = [element.text for element in plain if element.tag == "text"]
    assert [text for text in texts if text.endswith("Apr")] == [
        "1 Apr",
        "7 Apr",
        "13 Apr",
        "19 Apr",
        "25 Apr",
    ]
    uses = [sum(element.tag == "use" for element in found) for found in (plain, marked)]
    assert uses[1] - uses[0] == 2


def test_nothing_but_zeros_can_be_drawn() -> None:
    assert elements_of(charts.bars("x", "t", "d", [("a", 0.0)]))
    assert elements_of(charts.over_time("x", "t", "d", [("a", 0.0), ("b", 0.0)]))


def test_charts_drawn_at_the_same_time_are_those_drawn_alone() -> None:
    alone = [charts.bars(f"c{number}", "t", "d", VALUES) for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda number: charts.bars(f"c{number}", "t", "d", VALUES), range(8)))
    assert together == alone
