"""JSON, in one document or a line an object: what a row is, and what breaks it."""

import json
from pathlib import Path

import pytest

from pipeline.landing import LandingRequest, check
from pipeline.landing.chunks import Damage
from pipeline.landing.opening import open_order_lines
from pipeline.sources import SourceSettings
from tests.pipeline.landing.files import HEADER, bytes_file, fields_of, refusal_of, rows_of

ROW = {"order_id": 1, "product_id": "P1", "sale_date": "2024-01-01", "quantity": 1, "unit_price": 1}
TRICKY = (
    '[{"order_id": 1, "product_id": "P1", "sale_date": "2024-01-01", "quantity": 12, "unit_price": 1.10}, '
    '{"product_id": "P,\\u00e9 \\"2\\"", "unit_price": 1.5e3, "tags": {"a": [1.0, null, "é"]}, "ok": true},\n'
    '5, {"order_id": "\\ud800"}, {"product_id": "a\\u0000"}]'
)


@pytest.mark.parametrize("block_bytes", [1, 7, 50, 1_000_000])
@pytest.mark.parametrize("frame", ["{}", '{{"n": 12.5e+1, "empty": [], "rows": {}, "next": [[1]]}}'])
def test_json_reads_the_same_at_every_block_size(tmp_path: Path, block_bytes: int, frame: str) -> None:
    path = bytes_file(tmp_path, frame.format(TRICKY).encode())
    assert rows_of(path, block_bytes) == [
        (
            1, 0, ("1", "P1", "2024-01-01", "12", "1.10", "", ""),
            TRICKY[1 : TRICKY.index("}") + 1],
        ),
        (
            2, 0, ("", 'P,é "2"', "", "", "1500", '{"a":[1.0,null,"é"]}', "true"),
            TRICKY[TRICKY.index("}") + 3 : TRICKY.index("\n") - 1],
        ),
        (3, Damage.MALFORMED_JSON, (None,) * 7, "5"),
        (4, Damage.INVALID_UTF8, (None,) * 7, '{"order_id": "\\ud800"}'),
        (5, Damage.NUL_CHARACTER, ("", None, "", "", "", "", ""), '{"product_id": "a\\u0000"}'),
    ]  # fmt: skip


def test_a_broken_line_of_json_costs_that_line(tmp_path: Path) -> None:
    good = json.dumps(ROW).encode()
    bad = [
        b'{"order_id": 2',
        b"[1]",
        b'{"order_id": 1, "order_id": 2}',
        b'{"order_id": "\xff"}',
        b"[" * 200_000,
    ]
    long = b'{"order_id": "' + b"x" * 1_100_000 + b'"}'
    path = bytes_file(tmp_path, b"\n".join([good, b"", *bad, long, good.replace(b"P1", b"P2")]))
    rows = rows_of(path)
    assert [row[:2] for row in rows] == [
        (1, 0),
        (3, Damage.MALFORMED_JSON),
        (4, Damage.MALFORMED_JSON),
        (5, Damage.MALFORMED_JSON),
        (6, Damage.INVALID_UTF8),
        (7, Damage.MALFORMED_JSON),
        (8, Damage.ROW_TOO_LONG),
        (9, 0),
    ]
    assert [row[3] for row in rows[1:5]] == [
        '{"order_id": 2',
        "[1]",
        bad[2].decode(),
        '{"order_id": "\\xff"}',
    ]
    [result] = check(LandingRequest((path,)), lambda _: None)
    assert (result.rows_read, result.rows_accepted) == (8, 2)
    assert result.reasons == {"malformed_json": 4, "invalid_utf8": 1, "row_too_long": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[{"order_id": 1}, {"order_id": 2,,}]',
            "the JSON is broken in its object 2, near character 19: Expecting property name enclosed "
            "in double quotes; repair it or export it again",
        ),
        (
            '[{"order_id": 1}, {"order_id"',
            "the JSON is broken in its object 2, near character 19: Expecting ':' delimiter; "
            "repair it or export it again",
        ),
        (
            '[{"order_id": 1}',
            "the JSON is broken after its object 1, near character 17: it is cut short; "
            "repair it or export it again",
        ),
        (
            '[{"order_id": 1} {"order_id": 2}]',
            "the JSON is broken after its object 1, near character 18: ',' is missing; "
            "repair it or export it again",
        ),
        (
            '[{"order_id": 1}] x',
            "the JSON is broken after its object 1, near character 19: there is more text after the end; "
            "repair it or export it again",
        ),
        (
            '[{"order_id": 1, "order_id": 2}]',
            "the JSON is broken in its object 1, near character 2: the key 'order_id' is there twice; "
            "repair it or export it again",
        ),
        (
            '{"a": [{"x": 1}], "b": [{"x": 1}]}',
            "the JSON has two lists of objects, under 'a' and 'b'; send each list as a file of its own",
        ),
        (
            "[[1], [2]]",
            "the JSON has no objects: it must be a list of objects, such a list under a key, or one "
            "object on each line",
        ),
        (
            '[{"a": 1}, {"b": 2}]',
            "required columns are missing: Order ID, Product ID, Date of Sale, Quantity Sold, Unit Price. "
            "Found in its objects: a, b. "
        "When they are called otherwise, say so in sources.toml",
        ),
        ("[" * 200_000, "the JSON is broken in its object 1, near character 2: values are nested too deeply; "
                        "repair it or export it again"),
        (
            json.dumps([{str(number): 1} for number in range(10_001)]),
            "the file has 10,001 columns; at most 10,000 can be read",
        ),
    ],
)  # fmt: skip
def test_json_that_is_no_list_of_order_lines_is_refused(tmp_path: Path, text: str, message: str) -> None:
    assert refusal_of(bytes_file(tmp_path, text.encode())) == message


def test_a_number_that_nobody_can_mean_stays_as_it_is_written(tmp_path: Path) -> None:
    row = json.dumps(ROW).replace('"unit_price": 1', '"unit_price": 1e99999999999999999999')
    [(_, damage, fields, _)] = rows_of(bytes_file(tmp_path, row.encode()))
    assert (damage, fields[-1]) == (0, "1e99999999999999999999")


def test_a_csv_may_begin_with_a_bracket(tmp_path: Path) -> None:
    path = bytes_file(tmp_path, f"[Till],{HEADER}\n7,1,P1,2024-01-01,1,1\n".encode())
    assert fields_of(path) == [(2, 0, ("7", "1", "P1", "2024-01-01", "1", "1"))]


def test_one_object_with_a_list_of_its_own_is_a_line(tmp_path: Path) -> None:
    line = json.dumps(ROW | {"items": [{"a": 1}]})
    path = bytes_file(tmp_path, f"{line}\n{line}\n".encode())
    with open_order_lines(path, SourceSettings()) as file:
        assert file.columns.extra == {"items": 5}
        assert [chunk.text["5"].to_list() for chunk in file.chunks()] == [['[{"a":1}]', '[{"a":1}]']]
