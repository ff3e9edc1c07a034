"""Signatures, with the official SDK as their judge."""

from __future__ import annotations

import time

import pytest
from openai import InvalidWebhookSignatureError, OpenAI

from connector.sandbox.webhooks import sign
from connector.subscribers.webhook import Parameters, is_genuine, keys_of

SECRET, OTHER = "whsec_c2VjcmV0LW9uZQ==", "whsec_c2VjcmV0LXR3bw=="
BODY = b'{"id": "evt_1", "type": "batch.completed", "data": {"id": "batch_1"}}'


def judged(body: bytes, headers: dict[str, str], secret: str) -> bool:
    with OpenAI(api_key="sk-any") as client:
        try:
            client.webhooks.verify_signature(body, headers, secret=secret)
        except (InvalidWebhookSignatureError, ValueError):
            return False
        return True


def cases() -> dict[str, tuple[bytes, dict[str, str]]]:
    """What may come, signed now: the SDK's clock cannot be stopped."""
    now = int(time.time())
    good = sign(SECRET, "wh_1", now, BODY)
    other = sign(OTHER, "wh_1", now, BODY)["webhook-signature"]
    return {
        "genuine": (BODY, good),
        "another body": (BODY + b" ", good),
        "another id": (BODY, good | {"webhook-id": "wh_2"}),
        "another time": (BODY, good | {"webhook-timestamp": str(now - 1)}),
        "old": (BODY, sign(SECRET, "wh_1", now - 400, BODY)),
        "of the future": (BODY, sign(SECRET, "wh_1", now + 400, BODY)),
        "nearly old": (BODY, sign(SECRET, "wh_1", now - 250, BODY)),
        "another secret": (BODY, good | {"webhook-signature": other}),
        "two signatures": (BODY, good | {"webhook-signature": f"{other} {good['webhook-signature']}"}),
        "junk beside it": (BODY, good | {"webhook-signature": f"v1,%%% {good['webhook-signature']}"}),
        "no time": (BODY, good | {"webhook-timestamp": "soon"}),
        "nothing": (BODY, good | {"webhook-signature": ""}),
        "empty signature": (BODY, good | {"webhook-signature": "v1,"}),
    }


@pytest.mark.parametrize("name", cases())
def test_what_the_sdk_takes_is_taken_and_nothing_else(name: str) -> None:
    body, headers = cases()[name]
    ours = is_genuine(headers, body, keys_of(SECRET), time.time(), 300)
    assert ours is judged(body, headers, SECRET)
    assert ours is (name in ("genuine", "nearly old", "two signatures", "junk beside it"))


def test_while_a_secret_is_rotated_both_are_good() -> None:
    now = 1_800_000_000
    keys = keys_of(f"{SECRET} {OTHER}")
    assert all(is_genuine(sign(one, "wh_1", now, BODY), BODY, keys, now, 300) for one in (SECRET, OTHER))
    assert not is_genuine(sign(OTHER, "wh_1", now, BODY), BODY, keys_of(SECRET), now, 300)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_%%%", "whsec_c2VjcmV0LW9uZQ== nonsense!"])
def test_what_cannot_sign_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="several with spaces"):
        Parameters(path="/hooks/openai", secret=secret)
