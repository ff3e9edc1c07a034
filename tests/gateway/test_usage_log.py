"""Who used what in which minute: added up, appended to the file of its day, read again, and removed in time."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from connector.gateway.request_record import RequestRecord
from connector.gateway.usage_log import UsageLog
from connector.telemetry.costs import Usage
from connector.telemetry.usage_log import UsageLine, name_file, parse_line, read_lines

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()
DAYS = 86_400.0


def record(state: str = "done", *, seconds: float = 1.0, tokens: int = 5, **more: object) -> RequestRecord:
    made = RequestRecord("POST", "/gate/v1/chat/completions", 0.0, caller="team", client="gate", state=state)
    made.operation, made.model, made.seconds, made.is_sent = "chat completions create", "gpt-6-luna", seconds, True
    made.usage, made.cost = (Usage(tokens, output=2), 0.25) if tokens else (Usage(), None)
    for name, value in more.items():
        setattr(made, name, value)
    return made


async def write(folder: Path, *records: RequestRecord, now: float = NOON, keep: float = 10 * DAYS) -> list[UsageLine]:
    log = UsageLog(folder, keep, lambda: now)
    for one in records:
        log.add(one)
    await log.close()
    return list(read_lines(folder, now - DAYS, now + DAYS))


def list_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_requests_of_the_same_minutes_are_one_line(tmp_path: Path) -> None:
    same, longer = await write(tmp_path, record(), record(tokens=7), record(seconds=70), now=NOON + 30)
    assert same == UsageLine(
        first=int(NOON), last=int(NOON), token="team", client="gate", operation="chat completions create",
        model="gpt-6-luna", end="done", requests=2, usage=Usage(12, output=4), cost=0.5,
    )  # fmt: skip
    assert (longer.first, longer.last, longer.requests) == (int(NOON) - 60, int(NOON), 1)


async def test_only_what_may_be_billed_is_written(tmp_path: Path) -> None:
    lines = await write(
        tmp_path,
        record("refused", tokens=0, status=400),
        record("refused", tokens=0, status=503),
        record("not_sent", tokens=0, is_sent=False),
        record("unknown", tokens=0),
        record("unknown", is_estimated=True),
        record("done", tokens=0),  # its answer is still being made
        record("done", is_estimated=True),
    )
    assert {line.end: line.requests for line in lines} == {"unknown": 3, "estimated": 1}
    assert next(line for line in lines if line.end == "unknown").usage == Usage()


async def test_a_line_that_was_cut_off_is_passed_over_and_another_process_goes_on(tmp_path: Path) -> None:
    await write(tmp_path, record())
    path = name_file(tmp_path, date(2026, 11, 20))
    path.write_bytes(path.read_bytes() + b'{"first":1,"la\n')
    assert [line.requests for line in await write(tmp_path, record(), record())] == [1, 2]
    assert [parse_line(data) for data in (b"", b"[]", b"{}")] == [None] * 3


async def test_old_files_are_removed_and_nothing_is_kept_for_no_time(tmp_path: Path) -> None:
    other = tmp_path / ".gateway-usage-of-another-kind.jsonl"
    other.touch()
    await write(tmp_path, record(), now=NOON - 11 * DAYS)
    await write(tmp_path, record(), now=NOON)
    assert list_names(tmp_path) == [".gateway-usage-2026-11-20.jsonl", other.name]
    assert await write(tmp_path, record(), now=NOON + 5 * DAYS, keep=0) == []


async def test_what_cannot_be_written_is_written_later_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "later"
    log = UsageLog(folder, DAYS, lambda: NOON)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            log.add(record())
            await log.close()
    assert len(caplog.records) == 1
    assert "who uses what is not written down" in caplog.text
    folder.mkdir()
    log.add(record())
    await log.close()
    assert [line.requests for line in read_lines(folder, NOON - DAYS, NOON + DAYS)] == [3]
