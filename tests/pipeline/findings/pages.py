"""A page of HTML, read."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"meta", "link", "br", "img", "hr", "input"}


@dataclass
class Element:
    """One element: its tag, attributes, and all the text in it, children's included."""

    tag: str
    attributes: dict[str, str | None]
    text: str = ""
    inside: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self._open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs), inside=[other.tag for other in self._open])
        self.elements.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, dict(attrs), inside=[other.tag for other in self._open]))

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1].tag == tag, (tag, [element.tag for element in self._open])
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data


def elements_of(html: str) -> list[Element]:
    """Every element, in order; an element that is not closed, or closed twice, fails the test."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert reader._open == []
    return reader.elements


def words(text: str) -> str:
    """A text with single spaces."""
    return " ".join(text.split())


def table(elements: list[Element], caption: str) -> list[list[str]]:
    """The rows of a table, the header's first."""
    rows: list[list[str]] = []
    is_inside = False
    for element in elements:
        if element.tag == "caption":
            is_inside = words(element.text) == caption
        elif is_inside and element.tag == "tr":
            rows.append([])
        elif is_inside and element.tag in ("th", "td"):
            rows[-1].append(words(element.text))
    return rows
