"""Reports of usage and costs as rows: one for each result of each time span."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from connector.documents import dump
from connector.hosts.streams.settings import SourceSettings
from connector.hosts.streams.stream import Stream
from connector.model import JSON, is_document, items, members

__all__ = ["ReportQuery", "rows_of_bucket"]

SPANS = {"1d": (86_400, 31), "1h": (3_600, 168), "1m": (60, 1_440)}
"""The seconds of a time span, and how many of them the API gives on one page."""


@dataclass(frozen=True, slots=True)
class ReportQuery:
    """How a report is split.

    Attributes:
        width: the time span of a row.
        group_by: what tells the rows of a time span apart.
    """

    width: str
    group_by: tuple[str, ...]

    @classmethod
    def of(cls, stream: Stream, settings: SourceSettings) -> ReportQuery:
        """Return how a stream is split by the settings, as far as it can be."""
        widths = items(members(stream.operation.query.get("bucket_width")).get("enum"))
        wanted = settings.group_by
        groups = tuple(name for name in stream.group_by if wanted is None or name in wanted)
        return cls(settings.bucket_width if settings.bucket_width in widths else "1d", groups)

    def query(self, start: int) -> dict[str, JSON]:
        """Return the query of the first page of a report that begins at a time."""
        seconds, most = SPANS[self.width]
        query: dict[str, JSON] = {"start_time": start - start % seconds, "bucket_width": self.width, "limit": most}
        return {**query, "group_by": list(self.group_by)} if self.group_by else query


def rows_of_bucket(bucket: dict[str, JSON], asked: ReportQuery) -> Iterator[dict[str, JSON]]:
    """Yield the results of a time span, each with the span and an id that the same figures have when read again."""
    start, seen = bucket.get("start_time"), Counter[bytes]()
    for result in items(bucket.get("results")):
        if not is_document(result):
            continue
        groups: dict[str, JSON] = {name: result.get(name) for name in asked.group_by}
        told_apart = dump([start, asked.width, groups])
        number = sha256(told_apart + b"%d" % seen[told_apart]).hexdigest()[:32]
        seen[told_apart] += 1
        yield {**result, "id": number, "start_time": start, "end_time": bucket.get("end_time")}
