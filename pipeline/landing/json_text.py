"""JSON as it streams in: one value after the other, numbers and nested values as their text."""

import codecs
import json
from collections.abc import Iterator
from typing import Any

from pipeline.landing.blocks import BlockReader
from pipeline.landing.errors import FileRefused
from pipeline.landing.table_rows import plain_number

# The longest value that is looked at: memory must not depend on the file.
VALUE_CHARACTERS = 16 * 1024 * 1024
_BLANKS = " \t\r\n"
_OF_NUMBERS = "0123456789+-.eE"


class AmbiguousKey(ValueError):
    """An object has a key twice."""


class _Number(str):
    """A number as it is written."""

    __slots__ = ()


def _fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise AmbiguousKey(f"the key {twice[:60]!r} is there twice")
    return fields


# Not strict: line feeds and tabs inside strings are left as they are.
DECODER = json.JSONDecoder(
    parse_float=_Number,
    parse_int=_Number,
    parse_constant=_Number,
    object_pairs_hook=_fields,
    strict=False,
)


def field_text(value: object, decimal_mark: str) -> str:
    """A decoded value as a field: text as it is, nothing for null, nested values as JSON.

    Numbers have the mark that the source's texts have, so that all are read by one rule.
    """
    if isinstance(value, _Number):
        return plain_number(value).replace(".", decimal_mark) if value[-1].isdigit() else value
    if isinstance(value, str):
        return value
    return "" if value is None else _json(value)


def _json(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{_json(key)}:{_json(member)}" for key, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    return value if isinstance(value, _Number) else json.dumps(value, ensure_ascii=False)


class JsonText:
    """The text of a JSON document, read from its beginning in pieces."""

    def __init__(self, stream: BlockReader) -> None:
        self._stream = stream
        self._decode = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._at = 0
        self._before = 0
        self._is_all = False
        self._where = "before its first object"

    def objects(self) -> Iterator[tuple[Any, str]]:
        """The elements of the document's list of objects, each with its own text.

        Raises:
            FileRefused: the document is broken, or has more than one such list.
        """
        if self._peek() == "[":
            yield from self._elements(0)
        else:
            yield from self._elements_of_one_key()
        if self._peek():
            raise self._broken("there is more text after the end")

    def _elements_of_one_key(self) -> Iterator[tuple[Any, str]]:
        list_key: str | None = None
        self._expect("{")
        is_first = True
        while self._peek() != "}":
            if not is_first:
                self._expect(",")
            is_first = False
            key, _ = self._value()
            self._expect(":")
            if not self._is_list_of_objects():
                self._value()
                continue
            if list_key is not None:
                raise FileRefused(
                    f"the JSON has two lists of objects, under {list_key[:60]!r} and {str(key)[:60]!r}; "
                    "send each list as a file of its own"
                )
            list_key = str(key)
            yield from self._elements(0)
        self._expect("}")

    def _elements(self, number: int) -> Iterator[tuple[Any, str]]:
        self._expect("[")
        while self._peek() != "]":
            if number:
                self._expect(",")
            number += 1
            self._where = f"in its object {number:,}"
            yield self._value()
            self._where = f"after its object {number:,}"
        self._expect("]")

    def _is_list_of_objects(self) -> bool:
        if self._peek() != "[":
            return False
        at = self._at
        while True:
            rest = self._text[at + 1 : at + 1024].lstrip(_BLANKS)
            if rest or not self._more():
                return rest.startswith("{")
            at = self._at

    def _value(self) -> tuple[Any, str]:
        """The next value, and its text."""
        self._peek()
        while True:
            problem: ValueError | None = None
            try:
                value, end = DECODER.raw_decode(self._text, self._at)
            except AmbiguousKey as error:
                raise self._broken(str(error)) from error
            except RecursionError as error:
                raise self._broken("values are nested too deeply") from error
            except ValueError as error:
                problem = error
            is_long = len(self._text) - self._at > VALUE_CHARACTERS
            if problem is None and (self._is_all or is_long or not self._may_go_on(value, end)):
                text = self._text[self._at : end]
                self._at = end
                return value, text
            if (is_long or not self._more()) and problem is not None:
                raise self._broken(_reason(problem)) from problem

    def _may_go_on(self, value: object, end: int) -> bool:
        """Whether the next piece may bring more of a value: ``1.`` is read as 1, and may be 1.5."""
        if not isinstance(value, _Number):
            return False
        while end < len(self._text) and self._text[end] in _OF_NUMBERS:
            end += 1
        return end == len(self._text)

    def _peek(self) -> str:
        """The next character that is no blank; none at the end."""
        while True:
            while self._at < len(self._text):
                character = self._text[self._at]
                if character not in _BLANKS:
                    return character
                self._at += 1
            if not self._more():
                return ""

    def _expect(self, character: str) -> None:
        found = self._peek()
        if found != character:
            raise self._broken(f"{character!r} is missing" if found else "it is cut short")
        self._at += 1

    def _more(self) -> bool:
        """Read the next piece; false at the end."""
        if self._is_all:
            return False
        piece = self._stream.read(self._stream.block_bytes)
        self._is_all = not piece
        try:
            text = self._decode.decode(piece, final=self._is_all)
        except UnicodeDecodeError as error:
            raise self._broken("its bytes are no UTF-8 text") from error
        self._before += self._at
        self._text = self._text[self._at :] + text
        self._at = 0
        return not self._is_all

    def _broken(self, reason: str) -> FileRefused:
        return FileRefused(
            f"the JSON is broken {self._where}, near character {self._before + self._at + 1:,}: {reason}; "
            "repair it or export it again"
        )


def _reason(error: ValueError) -> str:
    return error.msg if isinstance(error, json.JSONDecodeError) else str(error)
