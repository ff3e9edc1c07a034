"""What each answer means for each kind of operation, and how often it is tried."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from connector.model import State

EVERY = ("none", "idempotent", "reconcilable", "opaque")
REPEATABLE, COSTLY = EVERY[:2], EVERY[2:]
OPEN = (408, 499, 500, 501, 502, 503, 504, 507, 520, 524, 529, 599)
"""Complete answers that leave it open whether the API did what it was asked."""
DONE, REFUSED, UNKNOWN, NOT_SENT = State.DONE, State.REFUSED, State.UNKNOWN, State.NOT_SENT


def error(status: int, code: str = "", message: str = "no", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json={"error": {"message": message, "code": code or None}}, headers=named)


def rows():
    for effect in EVERY:
        for status in (400, 404, 413, 422, 401, 403, 301, 307):
            yield effect, status, "", 1, REFUSED
        yield effect, 429, "rate_limit_exceeded", 3, REFUSED
        yield effect, 429, "", 3, REFUSED
        for code in ("insufficient_quota", "credit_balance_exhausted", "organization_spend_limit_exceeded",
                     "project_spend_limit_exceeded", "organization_usage_limit_exceeded"):  # fmt: skip
            yield effect, 429, code, 1, REFUSED
        for code in ("server_is_overloaded", "slow_down"):
            yield effect, 503, code, 3, REFUSED
    for status in OPEN:
        yield "none", status, "", 3, REFUSED
        yield "idempotent", status, "", 3, UNKNOWN
        for effect in COSTLY:
            yield effect, status, "", 1, UNKNOWN
    yield "none", 409, "", 3, REFUSED
    yield "idempotent", 409, "", 3, UNKNOWN
    for effect in COSTLY:
        yield effect, 409, "", 1, UNKNOWN
        yield effect, 303, "", 1, UNKNOWN


@pytest.mark.parametrize(("effect", "status", "code", "tries", "state"), [*rows()])
async def test_the_default_rules(make_client, wire, answers, effect, status, code, tries, state):
    upstream = answers(*[error(status, code)] * 3)
    outcome = await make_client(upstream).send(wire(effect))
    assert (outcome.state, outcome.status, len(upstream.requests)) == (state, status, tries)
    assert len(outcome.attempts) == tries
    assert outcome.reason.startswith("no")


@pytest.mark.parametrize("effect", EVERY)
async def test_a_refused_rate_passes_with_time(make_client, wire, answers, clock, effect):
    upstream = answers(error(429, "rate_limit_exceeded", retry_after="7"), httpx.Response(200, json={"id": "x"}))
    outcome = await make_client(upstream).send(wire(effect))
    assert outcome.state is DONE
    assert [attempt.state for attempt in outcome.attempts] == [REFUSED, DONE]
    assert sum(clock.waits) == pytest.approx(7)
    assert outcome.attempts[1].waited == pytest.approx(7)


@pytest.mark.parametrize(("word", "status", "tries"), [("true", 500, 3), ("true", 400, 3), ("false", 429, 1)])
async def test_the_server_may_overrule_a_status(make_client, wire, answers, word, status, tries):
    upstream = answers(*[error(status, x_should_retry=word)] * 3)
    await make_client(upstream).send(wire("opaque"))
    assert len(upstream.requests) == tries


async def test_no_word_of_the_server_makes_an_empty_account_full(make_client, wire, answers):
    upstream = answers(error(429, "insufficient_quota", x_should_retry="true"))
    assert (await make_client(upstream).send(wire())).state is REFUSED


@pytest.mark.parametrize("status", [401, 403, 429])
async def test_what_only_a_person_can_mend_pauses_the_client(make_client, wire, answers, status):
    code = "insufficient_quota" if status == 429 else ""
    client = make_client(answers(error(status, code), httpx.Response(200, json={})))
    assert client.paused is None
    await client.send(wire())
    assert client.paused is not None
    assert (client.paused.status, client.paused.who) == (status, "user")
    await client.send(wire())
    assert client.paused is None


async def test_resume_ends_a_pause(make_client, wire, answers):
    client = make_client(answers(error(401)))
    await client.send(wire())
    client.resume()
    assert client.paused is None


async def test_a_delete_repeated_after_doubt_is_done_when_nothing_is_left(make_client, wire, answers):
    upstream = answers(error(502), error(404))
    outcome = await make_client(upstream).send(wire("idempotent"))
    assert (outcome.state, outcome.status) == (DONE, 404)


async def test_a_first_delete_of_nothing_is_refused(make_client, wire, answers):
    assert (await make_client(answers(error(404))).send(wire("idempotent"))).state is REFUSED


@pytest.mark.parametrize("first", [error(408), error(500), error(503), error(529), httpx.ReadError("x")])
@pytest.mark.parametrize("gone", [404, 410])
async def test_a_delete_that_may_have_happened_is_done_when_nothing_is_left(make_client, wire, answers, first, gone):
    assert (await make_client(answers(first, error(gone))).send(wire("idempotent"))).state is DONE


SO = (
    "The batch has already been cancelled.",
    "Cannot cancel a batch with status 'cancelled'.",
    "This run is being canceled",
    "already archived",
)
NOT_SO = ("Job has already completed and cannot be cancelled.", "Cannot cancel a batch with status 'failed'.", "no")


@pytest.mark.parametrize(("said", "state"), [*((text, DONE) for text in SO), *((text, UNKNOWN) for text in NOT_SO)])
@pytest.mark.parametrize("status", [400, 409, 422])
async def test_a_repeat_that_finds_things_as_they_were_wanted_is_done(make_client, wire, answers, said, state, status):
    upstream = answers(error(408), *[error(status, message=said)] * 3)
    cancel = replace(wire("idempotent"), method="POST")
    assert (await make_client(upstream).send(cancel)).state is state


@pytest.mark.parametrize("said", SO)
async def test_a_first_cancel_of_what_is_cancelled_is_refused(make_client, wire, answers, said):
    cancel = replace(wire("idempotent"), method="POST")
    assert (await make_client(answers(error(400, message=said))).send(cancel)).state is REFUSED


@pytest.mark.parametrize(
    ("given", "first"),
    [
        ({"retry": {"all_errors": True}}, error(500)),
        ({"retry": {"on_unknown": "retry"}}, error(500)),
        ({"retry": {"on_unknown": "retry"}}, error(409)),
        ({"retry": {"on_unknown": "retry"}}, httpx.ReadError("x")),
        ({"errors": [{"status": 500, "then": "retry"}]}, error(500)),
        ({"errors": [{"status": 500, "then": "pause"}], "retry": {"on_unknown": "retry"}}, httpx.ReadError("x")),
        ({}, error(500, x_should_retry="true")),
    ],
)
@pytest.mark.parametrize("last", [httpx.Response(200, json={}), None])
@pytest.mark.parametrize("effect", COSTLY)
async def test_every_possible_duplicate_is_named(make_client, wire, answers, caplog, given, first, last, effect):
    upstream = answers(first, first, last or first)
    outcome = await make_client(upstream, **given).send(wire(effect))
    assert len(upstream.requests) == 3
    assert outcome.possible_duplicates == 2
    assert outcome.as_document()["possible_duplicates"] == 2
    assert "may have been paid for, 3 times" in outcome.sentence()
    assert "may have been paid for, 3 times" in caplog.text
    assert "not repeated" not in outcome.reason
    assert outcome.state is (DONE if last else UNKNOWN)


@pytest.mark.parametrize("effect", REPEATABLE)
async def test_what_may_be_repeated_has_no_duplicates(make_client, wire, answers, effect):
    outcome = await make_client(answers(error(500), httpx.Response(200, json={}))).send(wire(effect))
    assert outcome.possible_duplicates == 0
    assert "possible_duplicates" not in outcome.as_document()


@pytest.mark.parametrize("between", [error(429), httpx.ConnectError("x")])
async def test_what_did_nothing_is_no_duplicate(make_client, wire, answers, between):
    client = make_client(answers(between, httpx.ReadError("x"), between), retry={"on_unknown": "retry"})
    assert (await client.send(wire())).possible_duplicates == 0


@pytest.mark.parametrize("given", [{"retry": {"all_errors": True}}, {"errors": [{"status": 500, "then": "retry"}]}])
async def test_what_a_journal_holds_is_not_repeated_behind_it(make_client, wire, answers, given):
    upstream = answers(*[error(500)] * 3)
    outcome = await make_client(upstream, **given).send(wire(), on_unknown="hold")
    assert (outcome.state, outcome.action, len(upstream.requests)) == (UNKNOWN, "retry", 1)


@pytest.mark.parametrize("first", [httpx.ConnectError("x"), error(429)])
async def test_a_delete_that_cannot_have_happened_before_is_refused_too(make_client, wire, answers, first):
    upstream = answers(first, error(404))
    assert (await make_client(upstream).send(wire("idempotent"))).state is REFUSED


@pytest.mark.parametrize("failure", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError])
@pytest.mark.parametrize("effect", EVERY)
async def test_not_sent_is_tried_again_for_every_effect(make_client, wire, answers, effect, failure):
    upstream = answers(failure("x"), failure("x"), httpx.Response(200, json={}))
    outcome = await make_client(upstream).send(wire(effect))
    assert [attempt.state for attempt in outcome.attempts] == [NOT_SENT, NOT_SENT, DONE]


async def test_not_sent_is_said_when_it_never_works(make_client, wire, answers):
    outcome = await make_client(answers(*[httpx.ConnectError("no way")] * 3)).send(wire())
    assert (outcome.state, outcome.status, outcome.reason) == (NOT_SENT, None, "no way")


@pytest.mark.parametrize(
    "failure", [httpx.ReadError, httpx.ReadTimeout, httpx.WriteError, httpx.WriteTimeout, httpx.RemoteProtocolError]
)
@pytest.mark.parametrize(("effect", "tries"), [("none", 3), ("idempotent", 3), ("reconcilable", 1), ("opaque", 1)])
async def test_an_unknown_end_is_repeated_only_where_that_is_free(make_client, wire, answers, effect, tries, failure):
    upstream = answers(*[failure("broke")] * 3)
    outcome = await make_client(upstream).send(wire(effect))
    assert (outcome.state, len(upstream.requests)) == (UNKNOWN, tries)
    assert ("may have taken effect" in outcome.reason) is (effect in COSTLY)


@pytest.mark.parametrize(
    ("effect", "attempts", "state"),
    [
        ("opaque", [httpx.ReadError("x"), httpx.ConnectError("y")], UNKNOWN),
        ("opaque", [httpx.ReadError("x"), error(400)], UNKNOWN),
        ("opaque", [error(502), error(400)], UNKNOWN),
        ("opaque", [error(429), httpx.ConnectError("y")], NOT_SENT),
        ("idempotent", [httpx.ReadError("x"), error(403)], UNKNOWN),
        ("idempotent", [error(500), httpx.ConnectError("y")], UNKNOWN),
        ("none", [httpx.ReadError("x"), error(403)], REFUSED),
        ("none", [httpx.ConnectError("x"), httpx.ReadError("y"), httpx.ConnectError("z")], UNKNOWN),
        ("opaque", [httpx.ReadError("x"), httpx.Response(200, json={})], DONE),
    ],
)
async def test_an_earlier_attempt_in_doubt_is_not_forgotten(make_client, wire, answers, effect, attempts, state):
    client = make_client(answers(*attempts), retry={"on_unknown": "retry"})
    outcome = await client.send(wire(effect), retries=len(attempts) - 1)
    assert outcome.state is state
    assert ("earlier attempt may have" in outcome.reason) is (state is UNKNOWN)


@pytest.mark.parametrize("first", [httpx.ReadTimeout("x"), error(502)])
async def test_paying_twice_can_be_chosen(make_client, wire, answers, first):
    upstream = answers(first, httpx.Response(200, json={}))
    outcome = await make_client(upstream, retry={"on_unknown": "retry"}).send(wire("opaque"))
    assert [attempt.state for attempt in outcome.attempts] == [UNKNOWN, DONE]


@pytest.mark.parametrize(
    ("first", "tries"),
    [
        (error(400), 3),
        (error(404), 3),
        (error(500), 3),
        (error(502), 1),
        (httpx.ReadError("x"), 1),
        (error(429, "insufficient_quota"), 1),
    ],
)
async def test_all_errors_repeats_refusals_and_nothing_else(make_client, wire, answers, first, tries):
    upstream = answers(*[first] * 3)
    await make_client(upstream, retry={"all_errors": True}).send(wire("opaque"))
    assert len(upstream.requests) == tries


@pytest.mark.parametrize(
    ("options", "waits"),
    [
        ({}, [0.5, 1.0]),
        ({"max_retries": 6}, [0.5, 1, 2, 4, 8, 8]),
        ({"max_retries": 3, "backoff": "fixed", "delay": 2}, [2, 2, 2]),
        ({"max_retries": 3, "max_delay": 0.75}, [0.5, 0.75, 0.75]),
        ({"max_retries": 0}, []),
    ],
)
async def test_waits_between_tries(make_client, wire, answers, clock, options, waits):
    upstream = answers(*[error(500)] * 9)
    await make_client(upstream, retry=options).send(wire("none"))
    assert clock.waits == pytest.approx(waits)


async def test_a_call_may_have_its_own_number_of_retries(make_client, wire, answers):
    upstream = answers(*[error(500)] * 9)
    await make_client(upstream).send(wire("none"), retries=5)
    assert len(upstream.requests) == 6


async def test_the_larger_of_hint_and_backoff_is_waited(make_client, wire, answers, clock):
    upstream = answers(error(500, retry_after_ms="100"), error(500, retry_after="20"), httpx.Response(200, json={}))
    await make_client(upstream).send(wire("none"))
    assert clock.waits == pytest.approx([0.5, 20])


async def test_no_try_begins_after_its_time(make_client, wire, answers):
    upstream = answers(error(500, retry_after="200"), httpx.Response(200, json={}))
    outcome = await make_client(upstream).send(wire("none"), timeout=100)
    assert (outcome.state, len(upstream.requests)) == (REFUSED, 1)
    assert "no time is left" in outcome.reason


@pytest.mark.parametrize(
    ("rule", "first", "states"),
    [
        ({"status": 404, "then": "ignore"}, error(404), [DONE]),
        ({"status": [409], "code": "busy", "then": "retry"}, error(409, "busy"), [UNKNOWN, DONE]),
        ({"status": "4xx", "body": "later", "then": "retry"}, error(400, message="come later"), [REFUSED, DONE]),
        ({"status": "5xx", "effect": "opaque", "then": "retry"}, error(500), [UNKNOWN, DONE]),
        ({"status": 500, "then": "fail"}, error(500), [REFUSED]),
        ({"status": 500, "then": "ignore"}, error(500), [DONE]),
        ({"status": 500, "then": "unknown"}, error(500), [UNKNOWN]),
    ],
)
async def test_rules_of_ones_own_come_first(make_client, wire, answers, rule, first, states):
    client = make_client(answers(first, httpx.Response(200, json={})), errors=[rule])
    outcome = await client.send(wire("opaque"))
    assert [attempt.state for attempt in outcome.attempts] == states


async def test_a_rule_of_ones_own_can_pause(make_client, wire, answers):
    client = make_client(answers(error(400, "stop")), errors=[{"code": "stop", "then": "pause", "advice": "call Ann"}])
    await client.send(wire())
    assert client.paused is not None
    assert "call Ann" in client.paused.reason


async def test_a_redirect_is_a_refusal_that_says_so(make_client, wire, answers):
    moved = httpx.Response(307, headers={"location": "https://elsewhere.example/v1?k=secret"})
    outcome = await make_client(answers(moved)).send(wire())
    assert outcome.state is REFUSED
    assert "redirects to elsewhere.example" in outcome.reason
    assert "secret" not in outcome.reason
