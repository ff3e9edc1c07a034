"""The log: text for people, JSON lines for programs, secrets in neither."""

from __future__ import annotations

import io
import json
import logging
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from connector.request import Redactor
from connector.telemetry.logs import Mode, configure_logging

CANARY = 'canary "päss" 0123456789'
LOG = logging.getLogger("connector.made.for.tests")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


Open = Callable[..., io.StringIO]


@pytest.fixture
def opened() -> Iterator[Open]:
    undone: list[Callable[[], None]] = []

    def open_log(mode: Mode = "json", stream: io.StringIO | None = None, **options: Any) -> io.StringIO:
        out = stream or io.StringIO()
        undone.append(configure_logging(mode, Redactor([CANARY]), stream=out, **options))
        return out

    yield open_log
    for undo in undone:
        undo()


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_record_is_one_json_object_with_its_fields(opened: Open) -> None:
    out = opened()
    LOG.info(
        "POST %s done",
        "/responses",
        extra={"event": "call", "route": "r", "task": 7, "status": 200, "seconds": 0.25, "request_id": "req_1",
               "operation": "responses create", "client": "openai", "foreign": "x"},
    )  # fmt: skip
    (found,) = lines(out)
    assert found.pop("time").endswith("+00:00")
    assert found == {
        "level": "info", "logger": LOG.name, "message": "POST /responses done", "event": "call", "route": "r",
        "task": 7, "client": "openai", "operation": "responses create", "status": 200, "seconds": 0.25,
        "request_id": "req_1",
    }  # fmt: skip


def test_auto_is_text_on_a_terminal_and_json_elsewhere(opened: Open) -> None:
    terminal, pipe = opened("auto", Terminal()), opened("auto")
    LOG.warning("full", extra={"route": "r", "event": "e"})
    assert lines(pipe)[0]["message"] == "full"
    line = terminal.getvalue()
    assert line.endswith(" warning full  route=r\n")
    assert line[2] == ":"


def test_levels_hold_for_us_and_for_others(opened: Open) -> None:
    out = opened(level=logging.INFO)
    LOG.debug("too fine")
    logging.getLogger("somebody.else").info("not ours")
    logging.getLogger("somebody.else").warning("ours to show")
    assert [line["message"] for line in lines(out)] == ["ours to show"]


@pytest.mark.parametrize("mode", ["json", "text"])
def test_no_secret_in_any_encoding_stands_in_the_log(mode: Mode, opened: Open) -> None:
    out = opened(mode)
    forms = [CANARY, b64encode(CANARY.encode()).decode(), json.dumps(CANARY), CANARY.encode().hex()]
    for form in forms:
        LOG.error("seen %s", form, extra={"route": form, "request_id": f"x{form}"})
    try:
        json.loads(CANARY)
    except ValueError as error:
        error.add_note(f"the key {CANARY} was refused")
        LOG.exception("with a traceback")
    logging.getLogger("asyncio").error("Task exception was never retrieved: %r", CANARY)
    text = out.getvalue()
    assert "Traceback" in text
    assert "***" in text
    for form in (*forms, "canary", json.dumps(CANARY)[1:-1]):
        assert form not in text
    if mode == "json":
        assert len(lines(out)) == len(forms) + 2


def test_a_secret_of_digits_leaves_numbers_and_json_whole(opened: Open) -> None:
    out = io.StringIO()
    undo = configure_logging("json", Redactor(["123456"]), stream=out)
    LOG.info("pin 123456", extra={"task": 1234567})
    undo()
    assert (lines(out)[0]["message"], lines(out)[0]["task"]) == ("pin ***", 1234567)


def test_no_message_can_look_like_two_records_or_move_the_cursor(opened: Open) -> None:
    out, plain = opened("text"), opened("json")
    LOG.info("first\n12:00:00.000 error   forged\x1b[2J", extra={"route": "a\nb\x1b"})
    assert len(out.getvalue().splitlines()) == 2
    assert "\n    12:00:00.000 error   forged\\u001b[2J" in out.getvalue()
    assert "route=a\\nb\\u001b" in out.getvalue()
    assert len(plain.getvalue().splitlines()) == 1


def test_what_cannot_be_written_ends_nothing(
    opened: Open, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = opened()
    # Alone: what no file can hold, no report of the tests can hold either.
    monkeypatch.setattr(logging.getLogger(), "handlers", logging.getLogger().handlers[-1:])
    logging.getLogger().handlers[-1].handle(logging.LogRecord("x", 20, "", 1, "%d of %d", ("one",), None))
    LOG.info("half \ud800 a letter", extra={"seconds": float("nan")})
    LOG.info("x" * 20_000)
    found = lines(out)
    assert "cannot be written: TypeError" in found[0]["message"]
    assert found[1]["message"] == "half \ud800 a letter"
    assert found[1]["seconds"] == "nan"
    assert found[2]["message"].endswith("… (20,000 characters)")
    closed = opened()
    closed.close()
    LOG.error("%s", CANARY)
    assert capsys.readouterr().err == ""


def test_it_is_undone(opened: Open) -> None:
    before = (list(logging.getLogger().handlers), logging.getLogger("connector").level)
    undo = configure_logging("json", str, stream=io.StringIO(), level=logging.DEBUG)
    assert logging.getLogger("connector").level == logging.DEBUG
    undo()
    assert (list(logging.getLogger().handlers), logging.getLogger("connector").level) == before
