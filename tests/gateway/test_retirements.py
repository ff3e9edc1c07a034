"""Callers that ask for a model which retires: said once a day in the log, and passed on all the same."""

from __future__ import annotations

from datetime import date

import pytest

from connector.gateway.access_log import AccessLog, Retirements
from connector.gateway.request_record import RequestRecord
from connector.model_registry.load import registry_of

REGISTRY = registry_of(
    {
        "as_of": "2026-11-28",
        "models": {
            "old": {"kind": "text", "shutdown": "2026-12-11", "successor": "new"},
            "gone": {"kind": "text", "shutdown": "2026-10-23"},
            "new": {"kind": "text"},
        },
    },
    "here",
)


def record(model, caller="app", client="openai"):
    return RequestRecord("POST", "/v1/chat/completions", 0.0, caller=caller, client=client, model=model)


@pytest.fixture
def said(monkeypatch, caplog):
    monkeypatch.setenv("OPENAI_CONNECTOR_TODAY", "2026-11-28")
    log = AccessLog(lambda text: text, retirements=Retirements(REGISTRY, ["openai"]))

    def write(*records):
        caplog.clear()
        for each in records:
            log.write(each)
        return [line.getMessage() for line in caplog.records if line.levelname == "WARNING"]

    return write


def test_a_model_that_stops_is_said_once_a_day_for_each_caller(said, monkeypatch):
    warning = "app asks for old, which stops on 2026-12-11; new takes its place"
    assert said(record("old"), record("old"), record("old", caller="other")) == [
        warning, warning.replace("app", "other", 1),
    ]  # fmt: skip
    assert said(record("old")) == []
    monkeypatch.setenv("OPENAI_CONNECTOR_TODAY", "2026-12-11")
    assert said(record("old")) == ["app asks for old, which was shut down on 2026-12-11; new takes its place"]


def test_what_lives_is_unknown_or_belongs_to_another_server_is_not_said(said):
    assert said(record("new"), record("unheard-of"), record("old", client="local"), record("")) == []
    assert said(record("gone")) == ["app asks for gone, which was shut down on 2026-10-23"]


def test_names_that_callers_make_up_do_not_pile_up(said, monkeypatch):
    monkeypatch.setattr("connector.gateway.access_log.MAX_SEEN", 10)
    retirements = Retirements(REGISTRY, ["openai"])
    for number in range(100):
        retirements.find(record(f"made-up-{number}"))
    assert len(retirements._seen) <= 10


async def test_the_gateway_passes_the_request_on(start, upstream, monkeypatch, caplog):
    monkeypatch.setenv("OPENAI_CONNECTOR_TODAY", date(2026, 11, 28).isoformat())
    gateway = await start()
    answer = await gateway.chat(payload={"model": "gpt-5-mini", "messages": []})
    assert answer.status_code == 200
    assert [line.getMessage() for line in caplog.records if "stops on 2026-12-11" in line.getMessage()]
