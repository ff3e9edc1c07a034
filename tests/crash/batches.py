"""The Batch API of the recording upstream: what a line brings about is on disk when it runs, whoever asks after it.

A batch answers some of its lines at once and then none until it is cancelled; while a cancellation is settled one more
is answered. `run_rest` says what would have come of batches that nobody has cancelled.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["DOCUMENT", "LineRecorder", "UpstreamBatches"]

DOCUMENT = re.compile(rb"doc-[a-z]+-\d+")
LINE = re.compile(rb'^\{"custom_id":.*\}$', re.MULTILINE)
SETTLES = 0.2
"""Seconds until a cancellation is settled."""
LineRecorder = Callable[[str, list[str]], dict[str, Any]]
"""Writes down that a line took effect, and returns the answer to it."""


@dataclass
class _Batch:
    entity: dict[str, Any]
    left: list[bytes]
    answers: list[bytes] = field(default_factory=list[bytes])
    settled: float = 0.0


class UpstreamBatches:
    """All batches and their files.

    Args:
        record: writes down what took effect.
    """

    def __init__(self, record: LineRecorder) -> None:
        self._record = record
        self._inputs: dict[str, list[bytes]] = {}
        self._batches: dict[str, _Batch] = {}
        self.share = 1.0
        """How much of a batch is answered at once."""

    def keep(self, file: dict[str, Any], body: bytes) -> None:
        """Keep the lines of an uploaded file, if it has any."""
        lines = LINE.findall(body)
        if lines:
            self._inputs[file["id"]] = lines
            file |= {"bytes": sum(len(line) + 1 for line in lines), "purpose": "batch"}

    def begin(self, entity: dict[str, Any], asked: dict[str, Any]) -> None:
        """Begin a batch over an uploaded file."""
        lines = self._inputs[asked["input_file_id"]]
        entity |= {"status": "in_progress", **asked}
        batch = self._batches[entity["id"]] = _Batch(entity, list(lines))
        self._run(batch, round(self.share * len(lines)))

    def cancel(self, name: str) -> dict[str, Any]:
        """Begin to cancel a batch."""
        batch = self._batches[name]
        if batch.entity["status"] == "in_progress":
            batch.entity["status"] = "cancelling"
            batch.settled = time.monotonic() + SETTLES
        return self.show(name)

    def show(self, name: str) -> dict[str, Any]:
        """Return a batch as it is now."""
        batch = self._batches[name]
        if batch.entity["status"] == "cancelling" and time.monotonic() >= batch.settled:
            self._run(batch, 1)
            batch.entity["status"] = "cancelled"
        counts = {"total": len(batch.left) + len(batch.answers), "completed": len(batch.answers), "failed": 0}
        answers = {"output_file_id": f"out-{name}"} if batch.answers else {}
        return {**batch.entity, "request_counts": counts, **answers}

    def content(self, name: str) -> bytes:
        """Return a file of answers."""
        return b"".join(self._batches[name.removeprefix("out-")].answers)

    def run_rest(self) -> None:
        """Run to their ends all batches that are not cancelled."""
        for batch in self._batches.values():
            self._run(batch, 1 if batch.entity["status"] == "cancelling" else len(batch.left))

    def _run(self, batch: _Batch, count: int) -> None:
        """Answer so many lines more, unless it is cancelled."""
        if batch.entity["status"] == "cancelled":
            return
        for line in batch.left[:count]:
            said = json.loads(line)
            documents = sorted({one.decode() for one in DOCUMENT.findall(line)})
            body = self._record(said["url"].removeprefix("/v1"), documents)
            answer = {"status_code": 200, "request_id": f"req-{said['custom_id']}", "body": body}
            answered = {"id": said["custom_id"], "custom_id": said["custom_id"], "response": answer, "error": None}
            batch.answers.append(json.dumps(answered).encode() + b"\n")
        batch.left = batch.left[count:]
        if not batch.left and batch.entity["status"] == "in_progress":
            batch.entity["status"] = "completed"
