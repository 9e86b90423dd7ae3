"""From a question to a response: formats, conditional requests, the cache, and one snapshot for all of it."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any, Literal, TypeVar

import msgspec
from flask import Response, g, request
from psycopg import Connection
from pydantic import Field
from werkzeug.datastructures import MIMEAccept

from api.access import JOB, principal
from api.observing import count_cache
from api.parameters import Parameters
from api.problems import Problem
from api.responses import download_name, encode, json_response
from api.services import services
from pipeline import __version__
from pipeline.answers import envelope
from pipeline.answers.answer import Answer, too_large
from pipeline.answers.builds import Build, current_build
from pipeline.answers.explaining import explanation, recorded
from pipeline.answers.exporting import MEDIA_TYPES, Format, columns_of, written
from pipeline.answers.models import Model
from pipeline.answers.streaming import Streamed

Ask = Callable[[Connection], Answer]
T = TypeVar("T")


class Asked(Parameters):
    """What every analysis can be asked for."""

    format: Format | None = Field(None, description="`json`, `csv`, `parquet` or `arrow`; default by Accept.")
    explain: bool = Field(False, description="Add the definitions, the tables and the SQL to `meta`.")


def answered(
    asked: Asked,
    model: type[Model],
    ask: Ask,
    *,
    is_one: bool = False,
    has_pages: bool = True,
    lines: Mapping[str, Any] | None = None,
) -> Response:
    """Answer a question in the format that was asked for.

    Args:
        asked: the checked parameters; with the path they identify the question.
        model: the model of one row.
        ask: computes the answer from a snapshot, all rows of it when ``wants_all`` says so.
        is_one: ``data`` is the first row instead of a list.
        has_pages: whether ``page`` says where the list goes on.
        lines: the query for the lines behind the answer, for ``explain``.

    Raises:
        Problem: the format is unknown, or does not go with the other parameters.
    """
    format = format_of(asked)
    _check_whole(asked, format)
    kept = _kept(asked, format)
    if kept is not None:
        return kept
    with ExitStack() as stack:
        connection = stack.enter_context(services().database.snapshot())
        # Another build may have come meanwhile.
        build = current_build(connection)
        tag = _tag(build, asked, format)
        if format != "json":
            found = ask(connection)
            pieces = _export(found, model, format)
            # The snapshot stays open until the last row is sent.
            return _marked(streamed(pieces, format, stack.pop_all()), tag, build)
        content = _content(ask, connection, lines, explains=asked.explain)
        if is_one:
            content = {"data": content["data"][0], "meta": content["meta"]}
        elif not has_pages:
            del content["page"]
        body = encode(content)
        services().cache.put(tag, body)
        return _marked(json_response(body), tag, build)


def _kept(asked: Asked, format: Format) -> Response | None:
    """What needs no mart: that the caller has the answer already, or an answer that is kept."""
    with services().database.reading() as connection:
        build = current_build(connection)
    tag = _tag(build, asked, format)
    if request.if_none_match.contains_weak(tag):
        count_cache("not_modified")
        return _marked(Response(status=304), tag, build)
    if format != "json":
        return None
    body = services().cache.get(tag)
    count_cache("miss" if body is None else "hit")
    return None if body is None else _marked(json_response(body), tag, build)


def answered_page(
    asked: Parameters, ask: Callable[[Connection], T], write: Callable[[T], bytes]
) -> Response:  # fmt: skip
    """Answer with a page of HTML, which is kept and asked for again as other answers are.

    Args:
        asked: the checked parameters; with the path they identify the page.
        ask: gathers what the page tells, from a snapshot.
        write: makes the page of it; while that goes on, no connection is held.
    """
    with services().database.reading() as connection:
        build = current_build(connection)
    tag = _tag(build, asked, "html")
    if request.if_none_match.contains_weak(tag):
        count_cache("not_modified")
        return _marked(Response(status=304), tag, build)
    body = services().cache.get(tag)
    count_cache("miss" if body is None else "hit")
    if body is None:
        with services().database.snapshot() as connection:
            # Another build may have come meanwhile.
            build = current_build(connection)
            tag = _tag(build, asked, "html")
            found = ask(connection)
        body = write(found)
        services().cache.put(tag, body)
    return _marked(Response(body, content_type="text/html; charset=utf-8"), tag, build)


def format_of(asked: Asked) -> Format:
    """The format of the answer: what the query says, else what the Accept header likes best.

    Raises:
        Problem: 406 when the header accepts none of them.
    """
    if asked.format is not None:
        return asked.format
    accepted: MIMEAccept = request.accept_mimetypes
    best = accepted.best_match(MEDIA_TYPES.values(), "" if accepted else "application/json")
    for name, media_type in MEDIA_TYPES.items():
        if media_type == best:
            return name
    raise Problem("not_acceptable", f"This route has {', '.join(MEDIA_TYPES.values())}.")


def wants_all(asked: Asked) -> bool:
    """Whether the answer is a whole file, not a page."""
    return format_of(asked) != "json"


def most_rows() -> int | None:
    """The rows that a file may have; any number when no client asks, but a job that writes it."""
    return None if JOB in request.environ else services().settings.export_limit_rows


def allowed_regions(filters: dict[str, Any]) -> dict[str, Any]:
    """The filters, narrowed to the caller's regions.

    Raises:
        Problem: 403 for a region outside them that was asked for by name.
    """
    allowed = principal().regions
    if allowed is None:
        return filters
    outside = [region for region in filters.get("region", ()) if region not in allowed]
    if outside:
        raise Problem("region_not_allowed", f"{principal().name} is not allowed the region {outside[0]!r}.")
    return {**filters, "region": filters.get("region") or list(allowed)}


def _check_whole(asked: Asked, format: Format) -> None:
    if format == "json":
        return
    for name in ("limit", "cursor", "explain"):
        if name in asked.model_fields_set:
            detail = "goes with JSON alone: a file is always complete"
            raise Problem(
                "invalid_value",
                f"{name}: {detail}.",
                errors=[{"parameter": name, "code": "invalid_value", "detail": detail}],
            )


def _content(
    ask: Ask, connection: Connection, lines: Mapping[str, Any] | None, *, explains: bool
) -> dict[str, Any]:
    with recorded() as statements:
        found = ask(connection)
        rows = list(found.rows)
    meta = found.meta | ({"explain": explanation(statements, rows, lines)} if explains else {})
    return {"data": rows, "meta": meta, "page": envelope.page(found.next_cursor)}


def _export(found: Answer, model: type[Model], format: Format) -> Iterator[bytes]:
    most, rows = most_rows(), found.rows
    if most is not None:
        has_more = rows.has_more_than(most) if isinstance(rows, Streamed) else len(rows) > most
        if has_more:
            raise too_large(most)
    return written(format, columns_of(model, found.keys), found.rows, encode(found.meta))


def streamed(pieces: Iterable[bytes], format: Format, until_sent: ExitStack) -> Response:
    """A file that is sent while it is made; ``until_sent`` is closed when it is, or when nobody reads on."""

    def sent() -> Iterator[bytes]:
        with until_sent:
            yield from pieces

    response = Response(sent(), content_type=MEDIA_TYPES[format])
    # A response that is never read must give its connection back as well.
    response.call_on_close(until_sent.close)
    response.headers["Content-Disposition"] = f"attachment; filename={download_name(request.path, format)}"
    return response


def _tag(build: Build, asked: Parameters, format: Format | Literal["html"]) -> str:
    settings = services().settings
    caller = principal()
    question = (
        __version__, build.build_id, build.built_at, settings.currency, settings.time_zone, format,
        sorted(caller.scopes), caller.regions, request.path,
        asked.model_dump(mode="json", exclude={"format"}),
    )  # fmt: skip
    return hashlib.blake2b(msgspec.json.encode(question), digest_size=16).hexdigest()


def _marked(response: Response, tag: str, build: Build) -> Response:
    g.build_id = build.build_id
    response.set_etag(tag)
    response.last_modified = build.built_at
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["X-Build-Id"] = str(build.build_id)
    response.vary.update(("Accept", "Authorization", "Cookie"))
    return response
