"""A planted canary appears nowhere: not in repr, errors, causes, logs, reasons or evidence, in no encoding."""

from __future__ import annotations

import base64
import json
import logging
import traceback
from urllib.parse import quote

import httpx
import pytest

from connector.model import CallFailed, State

CANARY = 'sk-ca"na/ry+00112233 445566'
CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
FORMS = {
    CANARY,
    quote(CANARY, safe=""),
    json.dumps(CANARY)[1:-1],
    base64.b64encode(CANARY.encode()).decode()[:-4],
    base64.b64encode(b"user:" + CANARY.encode()).decode()[8:-4],
    base64.urlsafe_b64encode(b"x" + CANARY.encode()).decode()[4:-4],
    CANARY.encode().hex(),
}


def clean(*texts: object) -> bool:
    return not [form for form in FORMS for text in texts if form in str(text) or form in repr(text)]


def everything(client, outcome) -> list[object]:
    return [
        client,
        client.parameters,
        client.redactor,
        outcome.reason,
        outcome.evidence,
        outcome.attempts,
        outcome.sentence(),
    ]


ECHO = " ".join([
    CANARY, quote(CANARY, safe=""), json.dumps(CANARY), CANARY.encode().hex(),
    *(base64.b64encode(lead + CANARY.encode()).decode() for lead in (b"", b"user:", b"xy")),
    *(base64.urlsafe_b64encode(lead + CANARY.encode()).decode() for lead in (b"", b"x", b"xy")),
])  # fmt: skip
CUT_SHORT = "x" * 470 + CANARY
"""A text whose secret stands where texts are cut."""


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(401, json={"error": {"message": f"Incorrect API key provided: {ECHO}"}}),
        httpx.Response(500, text=f"request was: {ECHO}"),
        httpx.Response(302, headers={"location": f"https://x.example/?key={quote(CANARY)}"}),
        httpx.Response(200, html=f"<p>{ECHO}"),
        httpx.Response(400, json={"error": CUT_SHORT}),
        httpx.Response(200, html="<p>" + "x" * 2030 + CANARY),
        httpx.ReadError(f"broke while sending {ECHO}"),
        httpx.ConnectError(f"proxy said {ECHO}"),
    ],
)
async def test_no_outcome_shows_the_key(make_client, wire, answers, caplog, answer):
    caplog.set_level(logging.DEBUG)
    client = make_client(answers(*[answer] * 3), token=CANARY, logging="full")
    outcome = await client.send(client.prepare("chat completions create", {"payload": CHAT}))
    assert outcome.state is not State.DONE
    assert CANARY[:9] not in outcome.reason + outcome.evidence + caplog.text
    assert clean(*everything(client, outcome), caplog.text, client.paused)
    if outcome.state is State.REFUSED:
        assert clean(outcome.body)


async def test_no_raised_error_shows_the_key(make_client, wire, answers):
    client = make_client(answers(httpx.Response(401, json={"error": ECHO})), token=CANARY)
    with pytest.raises(CallFailed) as caught:
        async for _ in client.stream(wire()):
            pass
    assert clean("".join(traceback.format_exception(caught.value)))


def test_no_explanation_shows_the_key(make_client):
    client = make_client(token=CANARY, admin_token="sk-admin-canary", headers={"X-Api-Key": "k-canary-99"})
    shown = client.explain(client.prepare("models list"))
    assert clean(shown, shown.as_document(), shown.as_curl())
    assert "canary" not in repr(shown)
    assert "k-canary-99" not in shown.as_curl()


def test_every_kind_of_secret_is_known(make_client):
    client = make_client(
        token="sk-one-canary", admin_token="sk-two-canary", headers={"Authorization": "Basic three-canary"},
        proxy="http://me:four-canary@localhost:1",
    )  # fmt: skip
    for secret in ("sk-one-canary", "sk-two-canary", "three-canary", "four-canary"):
        assert "canary" not in client.redactor(
            f"<{secret}> {quote(secret)} {base64.b64encode(secret.encode()).decode()}"
        )
    assert "canary" not in repr(client.parameters)
    assert "canary" not in client.parameters.model_dump_json()
