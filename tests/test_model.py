from __future__ import annotations

import pytest

import connector
from connector import Attempt, CallFailed, Effect, Fault, InvalidRequest, Outcome, Request, State, UnknownName


def test_every_public_name_can_be_imported() -> None:
    assert all(getattr(connector, name) is not None for name in connector.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Pubisher'"):
        _ = connector.Pubisher  # type: ignore[attr-defined]  # the point


def test_a_request_document_becomes_a_request() -> None:
    assert Request.of({"query": {"limit": 2}, "payload": None}) == Request(query={"limit": 2})
    assert Request.of(None) == Request()
    assert Request.of(Request(payload=1)).payload == 1


def test_all_wrong_sections_are_named_at_once() -> None:
    with pytest.raises(InvalidRequest) as caught:
        Request.of({"qeury": {}, "path": [1]})
    assert [fault.where for fault in caught.value.faults] == ["qeury", "path"]
    assert "did you mean 'query'?" in str(caught.value)


def test_a_body_is_required_of_a_done_outcome_only() -> None:
    assert Outcome(State.DONE, 200, body={"id": 1}).require() == {"id": 1}
    refused = Outcome(
        State.REFUSED, 400, request_id="req_1", reason="no such model", attempts=(Attempt(State.REFUSED, 400, 0.1),)
    )
    with pytest.raises(CallFailed, match=r"refused with status 400: no such model \(request id req_1\)") as caught:
        refused.require()
    assert caught.value.outcome is refused


def test_an_outcome_as_a_document_shows_what_there_is() -> None:
    plain = Outcome(State.DONE, 200, {"a": "b"}, {"id": 1}, "req_1").as_document()
    assert plain == {
        "state": "done",
        "status": 200,
        "request_id": "req_1",
        "attempts": 0,
        "headers": {"a": "b"},
        "body": {"id": 1},
    }
    faulty = Outcome(
        State.NOT_SENT, reason="no", evidence="e", faults=(Fault("path.id", "missing", "text"),)
    ).as_document()
    assert faulty["faults"] == [{"where": "path.id", "found": "missing", "allowed": "text", "suggestion": ""}]
    assert (faulty["reason"], faulty["evidence"]) == ("no", "e")


def test_only_reads_and_idempotent_writes_are_repeatable() -> None:
    assert [effect for effect in Effect if effect.repeatable] == [Effect.NONE, Effect.IDEMPOTENT]


def test_an_unknown_name_says_what_may_be_meant() -> None:
    assert str(UnknownName("entity", "fles", ("files",), "`entities list` shows all")) == (
        "unknown entity 'fles'; did you mean 'files'?; `entities list` shows all"
    )
