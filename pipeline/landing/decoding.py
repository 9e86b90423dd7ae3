"""Text of any encoding as UTF-8 with LF or CRLF, whatever it was written with.

A byte that means nothing in its encoding stays a byte that is no UTF-8, so that it costs its own row and
is neither dropped nor replaced.
"""

import codecs
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from charset_normalizer import from_bytes

from pipeline.landing.errors import FileRefused

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# One byte a character; what a detection chooses from.
_CANDIDATES = ("cp1252", "mac_roman", "cp1250")
_PIECE = 4 * 1024 * 1024
_HEAD = 64 * 1024
# Lines with characters beyond ASCII, to tell an encoding by.
_SAMPLE = 256 * 1024
_LINE_END = re.compile("\r\n|\r|\n")
_QUOTED = re.compile(r'"[^"]*(?:"|$)')
# A line feed whose two bytes are of two characters; Unicode gives this one no meaning.
_LINE_FEED_OUT_OF_STEP = "\u0a00"


class Readable(Protocol):
    """What bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """Up to so many bytes; none at the end."""
        ...


@dataclass(frozen=True)
class Encoding:
    """How a file's text is written.

    Attributes:
        name: as Python has it.
        mark_bytes: how long the byte order mark is.
        is_guessed: whether nothing but the look of the text speaks for it.
        ends_with_returns: whether lines end with a carriage return alone.
    """

    name: str
    mark_bytes: int = 0
    is_guessed: bool = False
    ends_with_returns: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether the bytes can be read as they are."""
        return self.name == "utf-8" and not self.mark_bytes and not self.ends_with_returns


def find_encoding(stream: Readable, declared: str | None) -> Encoding:
    """The encoding of a stream, which is read to its end when nothing at its beginning tells.

    A byte order mark wins, then what was declared, then UTF-16's pattern of zero bytes, then UTF-8 as
    long as most of the lines that are not ASCII are; else it is detected, if it can be.

    Raises:
        FileRefused: the mark and the declaration contradict each other.
    """
    head = stream.read(_HEAD)
    marked = next(((name, len(mark)) for mark, name in _MARKS if head.startswith(mark)), None)
    if marked is not None:
        name, mark_bytes = marked
        if declared is not None and not name.startswith(declared):
            raise FileRefused(f"the file begins as {name.upper()} does, and sources.toml says {declared}")
        return Encoding(name, mark_bytes, ends_with_returns=_has_returns_alone(head[mark_bytes:], name))
    wide = _wide(head)
    if declared == "utf-16" or (declared is None and wide):
        name = wide or _likelier_wide(head)
        return Encoding(name, ends_with_returns=_has_returns_alone(head, name))
    name, is_guessed = (declared, False) if declared else _narrow(head, stream)
    return Encoding(name, is_guessed=is_guessed, ends_with_returns=_has_returns_alone(head, name))


class DecodedStream:
    """A stream as UTF-8 without mark, its lines ended by LF or CRLF."""

    def __init__(self, stream: Readable, encoding: Encoding) -> None:
        self._stream, self._encoding = stream, encoding
        self._is_wide = encoding.name.startswith("utf-16")
        self._errors = "surrogatepass" if self._is_wide else "surrogateescape"
        self._decoder = codecs.getincrementaldecoder(encoding.name)(self._errors)
        self._to_skip = encoding.mark_bytes

    def read(self, size: int, /) -> bytes:
        """Up to about so many bytes; none at the end.

        Raises:
            FileRefused: a byte of UTF-16 is missing or too many, so that no line below it can be told.
        """
        while True:
            piece = self._stream.read(size)
            text = self._decode(piece[self._to_skip :], is_last=not piece)
            self._to_skip = 0
            if self._is_wide and _LINE_FEED_OUT_OF_STEP in text:
                raise FileRefused(
                    "the UTF-16 text is damaged: a byte is missing or too many, and nothing below it can be "
                    "read; export the file again"
                )
            if self._encoding.ends_with_returns:
                text = text.replace("\r", "\n")
            if text or not piece:
                return text.encode("utf-8", self._errors)

    def _decode(self, piece: bytes, *, is_last: bool) -> str:
        try:
            return self._decoder.decode(piece, is_last)
        except UnicodeDecodeError:
            # The file ends within a character.
            self._decoder.reset()
            return "\udcff"


def _name(encoding: str) -> str:
    return codecs.lookup(encoding).name


def _wide(head: bytes) -> str | None:
    """UTF-16 without a mark, which is known by the zero bytes of its ASCII characters."""
    pairs = len(head) // 2
    if pairs < 8:
        return None
    first, second = _zeros(head)
    if second > 0.7 * pairs and first < 0.1 * pairs:
        return "utf-16-le"
    if first > 0.7 * pairs and second < 0.1 * pairs:
        return "utf-16-be"
    return None


def _likelier_wide(head: bytes) -> str:
    first, second = _zeros(head)
    return "utf-16-be" if first > second else "utf-16-le"


def _zeros(head: bytes) -> tuple[int, int]:
    """How many pairs of bytes begin with a zero, and how many end with one."""
    return head[::2].count(0), head[1::2].count(0)


def _has_returns_alone(head: bytes, name: str) -> bool:
    """Whether the first line ends with a carriage return alone, other line ends within quotes apart."""
    text = head.decode(name, "replace")
    end = _LINE_END.search(_QUOTED.sub("", text)) or _LINE_END.search(text)
    return end is not None and end[0] == "\r"


def _narrow(head: bytes, stream: Readable) -> tuple[str, bool]:
    """UTF-8, or the encoding of one byte a character that the text looks like, and whether it is a guess."""
    counts: Counter[bool] = Counter()
    sample = bytearray()
    for line in _telling_lines(head, stream):
        counts[_is_utf8(line)] += 1
        if len(sample) < _SAMPLE:
            sample += line
    if counts[True] >= counts[False]:
        return "utf-8", False
    found = from_bytes(bytes(sample), cp_isolation=list(_CANDIDATES)).best()
    # What fits nothing is damage, which costs the rows that have it.
    if found is None:
        return "utf-8", False
    # Of those that make the same text of it, the likeliest.
    fitting = {_name(name) for name in (found.encoding, *found.could_be_from_charset)}
    return next(name for name in map(_name, _CANDIDATES) if name in fitting), True


def _telling_lines(head: bytes, stream: Readable) -> Iterator[bytes]:
    """The lines that are not ASCII."""
    rest = b""
    piece = head
    while piece:
        if not piece.isascii() or rest:
            *lines, rest = (rest + piece).replace(b"\r", b"\n").split(b"\n")
            yield from (line for line in lines if not line.isascii())
            rest = b"" if rest.isascii() else rest[-_PIECE:]
        piece = stream.read(_PIECE)
    if rest:
        yield rest


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
