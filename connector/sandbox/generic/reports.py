"""Cost and usage reports: what the ledger holds, and plausible numbers for the time before the first request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import NamedTuple

from connector.model import JSON, is_list
from connector.sandbox.answer_templates import AnswerTemplate
from connector.sandbox.backend import Backend
from connector.sandbox.bill.ledger import Entry
from connector.sandbox.bill.payers import DEFAULT_PROJECT
from connector.sandbox.generic.history import invent_results
from connector.sandbox.messages import Answer, ApiError, Request

__all__ = ["report_usage"]

WIDTHS = {"1m": (60, 60, 1440), "1h": (3600, 24, 168), "1d": (86400, 7, 31)}
"""Seconds, and the default and the highest number of buckets on a page."""
MOST_COSTS = 180
RESULT_NAMES = {"file_search_calls": "file_searches", "web_search_calls": "web_searches"}
"""The names of results that are not the last word of their path."""
FILTERS: Mapping[str, str] = {
    "project_ids": "project_id", "user_ids": "user_id", "api_key_ids": "api_key_id", "models": "model",
    "sources": "source", "sizes": "size", "context_levels": "context_level", "vector_store_ids": "vector_store_id",
}  # fmt: skip
SUMS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "completions": {
        "input_tokens": ("in_text", "in_cached", "in_audio", "in_cached_audio", "in_image", "in_cached_image",
                         "write_30m", "write_12h"),
        "input_uncached_tokens": ("in_text", "in_audio", "in_image", "write_30m", "write_12h"),
        "input_cached_tokens": ("in_cached", "in_cached_audio", "in_cached_image"),
        "input_cache_write_tokens": ("write_30m", "write_12h"),
        "input_cache_write_30m_tokens": ("write_30m",),
        "input_cache_write_12h_tokens": ("write_12h",),
        "input_text_tokens": ("in_text", "in_cached", "write_30m", "write_12h"),
        "input_cached_text_tokens": ("in_cached",),
        "input_audio_tokens": ("in_audio", "in_cached_audio"),
        "input_cached_audio_tokens": ("in_cached_audio",),
        "input_image_tokens": ("in_image", "in_cached_image"),
        "input_cached_image_tokens": ("in_cached_image",),
        "output_tokens": ("out_text", "out_audio", "out_image"),
        "output_text_tokens": ("out_text",),
        "output_audio_tokens": ("out_audio",),
        "output_image_tokens": ("out_image",),
        "num_model_requests": ("requests",),
    },
    "embeddings": {"input_tokens": ("in_text",), "num_model_requests": ("requests",)},
    "moderations": {"input_tokens": ("in_text",), "num_model_requests": ("requests",)},
    "images": {"images": ("images",), "num_model_requests": ("requests",)},
    "audio_speeches": {"characters": ("characters",), "num_model_requests": ("requests",)},
    "audio_transcriptions": {"seconds": ("seconds",), "num_model_requests": ("requests",)},
    "web_search_calls": {"num_requests": ("searches",), "num_model_requests": ("requests",)},
    "file_search_calls": {"num_requests": ("searches",)},
    "vector_stores": {"usage_bytes": ("bytes",)},
    "code_interpreter_sessions": {"num_sessions": ("sessions",)},
}  # fmt: skip
"""The numbers of each report, and the units that each of them adds up."""
STORES, CONTAINERS = "vector stores", "containers"
"""Objects that two of the reports are made of."""


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
    window = _read_window(request.query, seconds, int(backend.now()) + 1, lenient=backend.options.lenient)
    starts = list(islice(_bucket_starts(window), limit + 1))
    report = _Report(request, backend, _result_template(backend, request))
    if starts:
        report.read(starts[0], window.end, seconds)
    data = [report.build_bucket(start, min(start + seconds, window.end)) for start in starts[:limit]]
    more = len(starts) > limit
    following = f"page_{starts[limit]}" if more else None
    return Answer(body={"object": "page", "data": data, "has_more": more, "next_page": following})


def _read_window(query: Mapping[str, JSON], seconds: int, last: int, *, lenient: bool) -> Window:
    """Return the window of a query; without an end it goes on to the second that has begun."""
    start, end = int(query["start_time"]), int(query.get("end_time") or last)
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


@dataclass(slots=True)
class _Cell:
    """The numbers of one group of a bucket."""

    units: dict[str, float]
    amount: Decimal = Decimal(0)
    quantity: float = 0.0
    quantity_unit: str = ""


class _Report:
    """One report, as its query asks for it."""

    def __init__(self, request: Request, backend: Backend, template: AnswerTemplate) -> None:
        self._request = request
        self._backend = backend
        self._template = template
        self._name = request.operation.template.rpartition("/")[2]
        fields: JSON = request.query.get("group_by")
        self._groups = [str(name) for name in fields] if is_list(fields) else []
        self._entries: dict[int, list[Entry]] = {}

    def read(self, start: int, end: int, seconds: int) -> None:
        """Read what the ledger holds of a window, as far as it is billed by now and the query wants it.

        Args:
            start: where the first bucket begins.
            end: of the window.
            seconds: the width of the buckets.
        """
        for entry in self._backend.ledger.entries(start, end):
            if self._is_wanted(entry):
                self._entries.setdefault(entry.minute - entry.minute % seconds, []).append(entry)

    def build_bucket(self, start: int, end: int) -> dict[str, JSON]:
        """Return a bucket: from the ledger where it had begun, made up before."""
        backend, query = self._backend, self._request.query
        results: Sequence[JSON] = ()
        if end > backend.ledger.begins or backend.options.billing.fresh:
            results = [self._build_result(group, cell) for group, cell in self._add_up(start, end).items()]
        else:
            results = invent_results(self._template, f"{self._request.operation.entity}/{start}", self._groups, query)
        return {"object": "bucket", "start_time": start, "end_time": end, "results": list(results)}

    def _add_up(self, start: int, end: int) -> dict[tuple[JSON, ...], _Cell]:
        """Return the numbers of each group, in the order of their first use."""
        cells: dict[tuple[JSON, ...], _Cell] = {}
        if self._name in ("vector_stores", "code_interpreter_sessions"):
            return self._count_objects(start, end)
        for entry in self._entries.get(start, ()):
            if self._name == "costs":
                self._add_costs(cells, entry)
                continue
            group = tuple(entry.dimensions.get(name) for name in self._groups)
            cell = cells.setdefault(group, _Cell({}))
            for unit, amount in entry.units.items():
                cell.units[unit] = cell.units.get(unit, 0) + amount
        return cells

    def _add_costs(self, cells: dict[tuple[JSON, ...], _Cell], entry: Entry) -> None:
        known = entry.dimensions
        tier = "batch" if known.get("batch") else str(known.get("service_tier") or "default")
        wanted: JSON = self._request.query.get("line_items")
        for charge in self._backend.tariff.charges(
            entry.report, str(known.get("model") or ""), tier, entry.units,
            at=entry.minute, long=entry.long, regional=entry.regional,
        ):  # fmt: skip
            if wanted and charge.line_item not in wanted:
                continue
            named = {**known, "line_item": charge.line_item}
            cell = cells.setdefault(tuple(named.get(name) for name in self._groups), _Cell({}))
            cell.amount += charge.amount
            cell.quantity += charge.quantity
            cell.quantity_unit = charge.quantity_unit

    def _count_objects(self, start: int, end: int) -> dict[tuple[JSON, ...], _Cell]:
        """Return the bytes that vector stores hold by the end of a bucket, or the containers begun in it."""
        objects = self._backend.objects
        if self._name == "vector_stores":
            held = [one["usage_bytes"] for one in objects.all(STORES) if one["created_at"] < end]
            units = {"bytes": float(sum(held))}
        else:
            begun = [one["created_at"] - one["created_at"] % 60 for one in objects.all(CONTAINERS)]
            units = {"sessions": float(sum(start <= minute < end for minute in begun))}
        wanted: JSON = self._request.query.get("project_ids")
        is_wanted = not wanted or DEFAULT_PROJECT in wanted
        group: tuple[JSON, ...] = tuple(DEFAULT_PROJECT for _ in self._groups)
        return {group: _Cell(units)} if is_wanted and any(units.values()) else {}

    def _is_wanted(self, entry: Entry) -> bool:
        query, known = self._request.query, entry.dimensions
        if self._name not in ("costs", entry.report):
            return False
        filters = {FILTERS[name]: value for name, value in query.items() if name in FILTERS and value}
        if any(known.get(name) not in values for name, values in filters.items()):
            return False
        if query.get("batch") is not None and known.get("batch") is not _is_true(query["batch"]):
            return False
        options = self._backend.options
        return options.billing.shows(entry.name, entry.minute, options.seed, self._backend.now())

    def _build_result(self, group: tuple[JSON, ...], cell: _Cell) -> dict[str, JSON]:
        grouped = dict(zip(self._groups, group, strict=True))
        sums = SUMS.get(self._name, SUMS["completions"])
        made: dict[str, JSON] = {}
        for name, field in self._template.fields.items():
            if name == "object":
                made[name] = field.shape.choices[0]
            elif name == "amount":
                made[name] = {"value": self._backend.options.billing.round(cell.amount), "currency": "usd"}
            elif name in ("quantity", "quantity_unit"):
                made[name] = getattr(cell, name) if "line_item" in grouped else None
            elif name in sums:
                made[name] = int(-(-sum(cell.units.get(unit, 0) for unit in sums[name]) // 1))
            elif field.is_nullable:
                made[name] = grouped.get(name)
        return {**made, **grouped}


def _is_true(value: JSON) -> bool:
    return value in (True, "true")
