"""The organization's reports: which requests were counted in which minute, and what was charged on which day."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from connector.errors import ConfigurationError
from connector.http import Client
from connector.model import JSON, items, members
from connector.pagination import next_query
from connector.telemetry.costs import Usage

__all__ = ["BATCH", "REPORTS", "Charge", "UsageRow", "find_report", "has_tokens", "read_charges", "read_usage_rows"]

REPORTS: Final[Mapping[str, str]] = {
    "/chat/completions": "completions",
    "/completions": "completions",
    "/responses": "completions",
    "/responses/compact": "completions",
    "/decisions": "decisions",
    "/embeddings": "embeddings",
    "/moderations": "moderations",
    "/images/generations": "images",
    "/images/edits": "images",
    "/images/variations": "images",
    "/audio/speech": "audio speeches",
    "/audio/transcriptions": "audio transcriptions",
    "/audio/translations": "audio transcriptions",
}
"""The usage report that counts the requests of a path."""
BATCH: Final = ", batch"
"""How the name of a report goes on for requests in batches, where it tells them apart."""
WITH_TOKENS = ("completions", "decisions", "embeddings", "moderations")
TELLS_BATCHES = "completions"
GROUPS = ("project_id", "api_key_id", "model")
DAY, MINUTES_A_PAGE, DAYS_A_PAGE = 86_400, 1440, 180
FIELDS: Mapping[str, str] = {
    "input": "input_tokens",
    "cached": "input_cached_tokens",
    "output": "output_tokens",
    "cache_write": "input_cache_write_tokens",
    "cache_write_12h": "input_cache_write_12h_tokens",
    "input_audio": "input_audio_tokens",
    "cached_audio": "input_cached_audio_tokens",
    "output_audio": "output_audio_tokens",
    "input_image": "input_image_tokens",
    "cached_image": "input_cached_image_tokens",
    "output_image": "output_image_tokens",
    "characters": "characters",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRow:
    """What a usage report says of one minute, one model and one key."""

    report: str
    model: str
    project: str
    key: str
    start: int
    requests: int
    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One line of the cost report: what was charged on a day that begins at `start`."""

    line: str
    project: str
    start: int
    amount: float
    currency: str

    @property
    def model(self) -> str:
        """The model that a line names before its comma; the whole line where it names none."""
        return self.line.partition(", ")[0]


def find_report(url: str) -> str:
    """Return the usage report that counts what is posted to an address; empty where none does."""
    path = urlsplit(url).path.rstrip("/")
    fits = [known for known in REPORTS if path.endswith(known)]
    return REPORTS[max(fits, key=len)] if fits else ""


def has_tokens(report: str) -> bool:
    """Return whether a usage report counts tokens of input."""
    return report.removesuffix(BATCH) in WITH_TOKENS


async def read_usage_rows(client: Client, start: int, end: int) -> list[UsageRow]:
    """Return what all usage reports say of the minutes between two times, which are whole minutes."""
    found: list[UsageRow] = []
    for report in dict.fromkeys(REPORTS.values()):
        groups = [*GROUPS, "batch"] if report == TELLS_BATCHES else [*GROUPS]
        query: dict[str, JSON] = {
            "start_time": start, "end_time": end, "bucket_width": "1m", "limit": MINUTES_A_PAGE, "group_by": groups,
        }  # fmt: skip
        async with aclosing(_read_buckets(client, f"{report} usage list", query)) as buckets:
            async for began, results in buckets:
                found += [_read_row(report, began, one) for one in results]
    return [row for row in found if row.requests]


async def read_charges(client: Client, start: int, end: int) -> list[Charge]:
    """Return what was charged on the days between two times, which are the beginnings of days."""
    found: list[Charge] = []
    query: dict[str, JSON] = {
        "start_time": start, "end_time": end, "bucket_width": "1d", "limit": DAYS_A_PAGE,
        "group_by": ["project_id", "line_item"],
    }  # fmt: skip
    async with aclosing(_read_buckets(client, "costs list", query)) as buckets:
        async for began, results in buckets:
            for one in results:
                amount = members(one.get("amount"))
                found.append(
                    Charge(line=_text(one, "line_item"), project=_text(one, "project_id"), start=began,
                           amount=_number(amount, "value"), currency=_text(amount, "currency").upper())
                )  # fmt: skip
    return found


async def _read_buckets(
    client: Client, operation: str, query: Mapping[str, JSON]
) -> AsyncGenerator[tuple[int, Sequence[Mapping[str, JSON]]]]:
    """Yield when each bucket begins, and its results; raise where a page cannot be read."""
    found = client.catalogue.find(operation)
    page: Mapping[str, JSON] = {}
    while True:
        outcome = await client.send(client.prepare(found, {"query": {**query, **page}}))
        body = members(outcome.require())
        if body.get("object") != "page":
            raise ConfigurationError(f"{operation}: the answer of {client.base_uri} is no page of a report")
        for bucket in map(members, items(body.get("data"))):
            yield int(_number(bucket, "start_time")), [members(one) for one in items(bucket.get("results"))]
        page = next_query(found.pages, body)
        if not page:
            return


def _read_row(report: str, start: int, one: Mapping[str, JSON]) -> UsageRow:
    units = {name: int(_number(one, field)) for name, field in FIELDS.items()}
    return UsageRow(
        report=report + (BATCH if one.get("batch") is True else ""),
        model=_text(one, "model"),
        project=_text(one, "project_id"),
        key=_text(one, "api_key_id"),
        start=start,
        requests=int(_number(one, "num_model_requests")),
        usage=Usage(**units, seconds=_number(one, "seconds")),
    )


def _text(one: Mapping[str, JSON], name: str) -> str:
    value = one.get(name)
    return value if isinstance(value, str) else ""


def _number(one: Mapping[str, JSON], name: str) -> float:
    """Return a number, which amounts of money may be written as text."""
    value = one.get(name)
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return 0.0
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
