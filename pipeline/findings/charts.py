"""Charts as SVG that stands in the page: text stays text, and colours fit a light and a dark ground.

Only the geometry is of floats; the tables beside the charts have the figures.
"""

import warnings
from collections.abc import Collection, Sequence
from io import StringIO
from threading import Lock
from typing import Literal
from xml.etree import ElementTree

import matplotlib as mpl
from babel.numbers import format_compact_decimal
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Names of products are no formulas; the same figures make the same file.
mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "tillhouse", "text.parse_math": False})

_SVG = "http://www.w3.org/2000/svg"
ElementTree.register_namespace("", _SVG)
ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")

# In inches; narrow, so that a phone need not shrink the letters.
_WIDTH = 5.0
_ROW = 0.3
_TIME_HEIGHT = 2.6
_FOOT = 0.35
_HEAD = 0.1
# The share of the width that the names of bars have, and how long they may be.
_NAMES = 0.42
_MOST_LETTERS = 20
_MOST_MARKS = 5

# Each has a contrast of 3 and more to white and to the dark ground.
_ABOVE = "#2b7de0"
_BELOW = "#d9622b"
_LINES = "#808080"

# matplotlib does not promise to be safe in threads.
_DRAWING = Lock()


def bars(name: str, title: str, description: str, values: Sequence[tuple[str, float]]) -> Markup:
    """A bar for each name, from above; those below 0 in another colour, and to the other side.

    Args:
        name: begins the ids of the chart's elements; no other chart of the page has it.
        title: of the chart, for who cannot see it.
        description: what it shows, for the same.
        values: names and numbers; there is at least one.
    """
    height = _HEAD + _ROW * len(values) + _FOOT
    with _DRAWING:
        chart = Figure(figsize=(_WIDTH, height))
        axes = chart.add_axes((_NAMES, _FOOT / height, 0.97 - _NAMES, 1 - (_FOOT + _HEAD) / height))
        places = range(len(values))
        lengths = [value for _, value in values]
        axes.barh(places, lengths, height=0.7, color=[_BELOW if v < 0 else _ABOVE for v in lengths])
        axes.set_yticks(places, [_shortened(label) for label, _ in values])
        axes.invert_yaxis()
        axes.axvline(0, color=_LINES, linewidth=0.8)
        _finish(axes, "x")
        return _written(chart, name, title, description)


def over_time(
    name: str,
    title: str,
    description: str,
    values: Sequence[tuple[str, float]],
    marked: Collection[int] = (),
) -> Markup:
    """A bar for each bucket of time; those at the places ``marked`` have a triangle as well.

    The other arguments are those of ``bars``.
    """
    with _DRAWING:
        chart = Figure(figsize=(_WIDTH, _TIME_HEIGHT))
        axes = chart.add_axes((0.13, _FOOT / _TIME_HEIGHT, 0.84, 1 - (_FOOT + _HEAD) / _TIME_HEIGHT))
        heights = [value for _, value in values]
        axes.bar(range(len(values)), heights, color=[_BELOW if v < 0 else _ABOVE for v in heights])
        axes.scatter(list(marked), [heights[place] for place in marked], marker="v", color=_BELOW, zorder=3)
        # Room for the triangles.
        axes.margins(y=0.08)
        places = range(0, len(values), -(-len(values) // _MOST_MARKS))
        axes.set_xticks(places, [values[place][0] for place in places])
        axes.axhline(0, color=_LINES, linewidth=0.8)
        _finish(axes, "y")
        return _written(chart, name, title, description)


def _finish(axes: Axes, measured: Literal["x", "y"]) -> None:
    """Light lines along the measured axis alone, and short numbers on it."""
    axes.patch.set_visible(False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0)
    axes.set_axisbelow(True)
    axis = axes.xaxis if measured == "x" else axes.yaxis
    axis.set_major_formatter(lambda value, _: _compact(value))
    axes.locator_params(axis=measured, nbins=4)
    axes.grid(visible=True, axis=measured, color=_LINES, alpha=0.35, linewidth=0.6)


def _compact(value: float) -> str:
    return str(format_compact_decimal(value, locale="en", fraction_digits=2))


def _written(chart: Figure, name: str, title: str, description: str) -> Markup:
    """The chart as an element of HTML, whose ids begin with ``name``."""
    chart.patch.set_visible(False)
    file = StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with warnings.catch_warnings():
        # The reader's own letters are shown, not those of the font that measures them.
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        chart.savefig(file, format="svg", metadata=nothing)
    root = ElementTree.fromstring(file.getvalue())
    _rename(root, f"{name}-")
    for attribute in ("width", "height"):
        del root.attrib[attribute]
    root.attrib |= {"role": "img", "aria-labelledby": f"{name}-title {name}-description"}
    for place, (tag, end, text) in enumerate(
        (("title", "title", title), ("desc", "description", description))
    ):
        element = ElementTree.Element(f"{{{_SVG}}}{tag}", id=f"{name}-{end}")
        element.text = _printable(text)
        root.insert(place, element)
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def _rename(root: ElementTree.Element, prefix: str) -> None:
    """Put a prefix before every id and what refers to it: a page has several charts."""
    for element in root.iter():
        for key, value in list(element.attrib.items()):
            if key == "id":
                element.set(key, prefix + value)
            elif value.startswith("#") and key.endswith("href"):
                element.set(key, f"#{prefix}{value[1:]}")
            elif value.startswith("url(#"):
                element.set(key, f"url(#{prefix}{value[5:]}")


def _shortened(text: str) -> str:
    plain = _printable(text)
    return plain if len(plain) <= _MOST_LETTERS else f"{plain[: _MOST_LETTERS - 1]}…"


def _printable(text: str) -> str:
    """A name as XML can hold it: control characters are no part of it."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
