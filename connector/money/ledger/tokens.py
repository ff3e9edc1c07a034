"""The calls of gateway tokens: what gateways have written down, minute by minute, as calls that may be billed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from connector.catalogue import Catalogue
from connector.delivery.charges import RETRIEVE
from connector.engine import TaskState
from connector.errors import UnknownName
from connector.money.ledger.journal import JournalCall, Span
from connector.money.ledger.reports import BATCH, find_report, has_tokens
from connector.telemetry.usage_log import UsageLine, read_lines

__all__ = ["GATEWAY", "read_tokens"]

GATEWAY = "gateway"
DAY = 86_400.0
MINUTE = 60
READ_LATER = {RETRIEVE: "completions", "batches retrieve": f"completions{BATCH}"}
"""Operations whose answers say what was used before: within a day, as the API promises."""


def read_tokens(folders: Iterable[Path], catalogue: Catalogue, span: Span) -> Iterator[JournalCall]:
    """Yield the calls of gateway tokens that may be billed in a span of time.

    Args:
        folders: of the gateways' configurations.
        catalogue: knows the path of each operation.
        span: the time.
    """
    for place, folder in enumerate(dict.fromkeys(folders)):
        for number, line in enumerate(read_lines(folder, span.start, span.end + DAY)):
            for one in _read_line(line, catalogue, span, f"{GATEWAY} {place}.{number}"):
                if one.earliest < span.end and one.latest >= span.start:
                    yield one


def _read_line(line: UsageLine, catalogue: Catalogue, span: Span, name: str) -> Iterator[JournalCall]:
    report = READ_LATER.get(line.operation) or _find_report(line.operation, catalogue)
    if not report:
        return
    earliest = line.first - DAY if line.operation in READ_LATER else line.first
    made = JournalCall(
        name=name, place=GATEWAY, task=0, attempt=0, number=0, state=TaskState.UNKNOWN, route="",
        operation=line.operation, client=line.client, url="", report=report, asked=line.model,
        began=line.first, earliest=earliest, latest=line.last + MINUTE - 1, content="", token=line.token,
    )  # fmt: skip
    if line.end == "unknown":
        doubtful = replace(made, latest=made.latest + span.longest, listed=True)
        yield from (replace(doubtful, name=f"{name}.{each}") for each in range(line.requests))
        return
    is_read = line.end == "done"
    # How many requests a batch was, its answer says to whoever reads it alone.
    count = 0 if line.operation in READ_LATER and report.endswith(BATCH) else line.requests
    yield replace(
        made, billed=True, count=count, usage=line.usage, amount=line.cost,
        tokens=line.usage.input if is_read and has_tokens(report) else None,
    )  # fmt: skip


def _find_report(operation: str, catalogue: Catalogue) -> str:
    try:
        found = catalogue.find(operation) if operation else None
    except UnknownName:
        return ""
    return find_report(found.template) if found is not None and found.method == "POST" else ""
