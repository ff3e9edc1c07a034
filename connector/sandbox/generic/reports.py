"""Cost and usage reports: plausible numbers for every bucket, the same ones each time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import islice, product
from typing import NamedTuple

from connector.model import JSON, is_list
from connector.sandbox.answer_templates import AnswerTemplate
from connector.sandbox.backend import Backend
from connector.sandbox.messages import Answer, ApiError, Request

__all__ = ["report_usage"]

WIDTHS = {"1m": (60, 60, 1440), "1h": (3600, 24, 168), "1d": (86400, 7, 31)}
"""Seconds, and the default and the highest number of buckets on a page."""
MOST_COSTS = 180
RESULT_NAMES = {"file_search_calls": "file_searches", "web_search_calls": "web_searches"}
"""The names of results that are not the last word of their path."""
GROUPS: Mapping[str, Sequence[JSON]] = {
    "project_id": ("proj_first", "proj_second"),
    "user_id": ("user-ada", "user-grace"),
    "api_key_id": ("key_first", "key_second"),
    "model": ("gpt-4.1", "gpt-4.1-mini"),
    "batch": (False, True),
    "service_tier": ("default",),
    "line_item": ("gpt-4.1, input", "gpt-4.1, output"),
    "source": ("image.generation",),
    "size": ("1024x1024",),
    "context_level": ("medium",),
    "vector_store_id": ("vs_first",),
}


class Window(NamedTuple):
    """The start, the end and the bucket width of a report."""

    start: int
    end: int
    seconds: int


def report_usage(request: Request, backend: Backend) -> Answer:
    """Return a page of buckets, oldest first."""
    width = str(request.query.get("bucket_width") or "1d")
    seconds, default, most = WIDTHS[width]
    most = MOST_COSTS if request.operation.entity == "costs" else most
    limit = int(request.query.get("limit") or default)
    if not 1 <= limit <= most and not backend.options.lenient:
        message = f"Invalid 'limit': found {limit}; 1 to {most} are allowed with bucket_width {width}."
        raise ApiError(400, message, param="limit", code="invalid_value")
    window = _read_window(request.query, seconds, int(backend.now()), lenient=backend.options.lenient)
    template = _result_template(backend, request)
    starts = list(islice(_bucket_starts(window), limit + 1))
    data = [_build_bucket(template, request, start, min(start + seconds, window.end)) for start in starts[:limit]]
    more = len(starts) > limit
    following = f"page_{starts[limit]}" if more else None
    return Answer(body={"object": "page", "data": data, "has_more": more, "next_page": following})


def _read_window(query: Mapping[str, JSON], seconds: int, now: int, *, lenient: bool) -> Window:
    start, end = int(query["start_time"]), int(query.get("end_time") or now)
    page = str(query.get("page") or "")
    begun = page.removeprefix("page_")
    if begun.isdecimal():
        start = int(begun)
    elif page and not lenient:
        raise ApiError(400, f"Invalid 'page': {page[:40]!r} is no page of this report.", param="page")
    return Window(start, end, seconds)


def _bucket_starts(window: Window) -> Iterator[int]:
    """Return where buckets begin: on whole minutes, hours and days."""
    return iter(range(window.start - window.start % window.seconds, window.end, window.seconds))


def _result_template(backend: Backend, request: Request) -> AnswerTemplate:
    """Return the template of this report's results, among those of all reports."""
    word = request.operation.template.rpartition("/")[2]
    wanted = f".{RESULT_NAMES.get(word, word)}."
    results = backend.answer_builder.template(request.operation).fields["data"].item.fields["results"]
    return next((template for template in results.item.branches if _is_named(template, wanted)), results.item)


def _is_named(template: AnswerTemplate, wanted: str) -> bool:
    named = template.fields.get("object")
    return named is not None and any(wanted in str(choice) for choice in named.shape.choices)


def _build_bucket(template: AnswerTemplate, request: Request, start: int, end: int) -> dict[str, JSON]:
    fields: JSON = request.query.get("group_by")
    groups = [str(name) for name in fields] if is_list(fields) else []
    results = [
        _fill_result(template, f"{request.operation.entity}/{start}", group)
        for group in _group_values(groups, request.query)
    ]
    return {"object": "bucket", "start_time": start, "end_time": end, "results": results}


def _group_values(fields: Sequence[str], query: Mapping[str, JSON]) -> Iterator[dict[str, JSON]]:
    """Yield every combination of the grouped values that the query allows."""
    values = [query.get(f"{field}s") or GROUPS.get(field, (None,)) for field in fields]
    return (dict(zip(fields, combination, strict=True)) for combination in product(*values))


def _fill_result(template: AnswerTemplate, seed: str, group: Mapping[str, JSON]) -> dict[str, JSON]:
    made: dict[str, JSON] = {}
    for name, field in template.fields.items():
        if name in group:
            made[name] = group[name]
        elif name == "amount":
            made[name] = {"value": _draw_number(f"{seed}/{group}") / 100, "currency": "usd"}
        elif field.shape.choices and not field.is_nullable:
            made[name] = field.shape.choices[0]
        elif name in template.required and field.kind in ("integer", "number"):
            made[name] = _draw_number(f"{seed}/{group}/{name}")
        elif field.is_nullable:
            made[name] = None
    return made


def _draw_number(seed: str) -> int:
    return int.from_bytes(blake2b(seed.encode(), digest_size=2).digest()) % 10_000
