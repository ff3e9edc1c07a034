"""One request as a line of a batch: as it is kept with its call, as it is sent, and as it is answered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from connector.engine import CallRecord
from connector.http.error_body import find_error_codes, find_error_message, is_error
from connector.http.policy import Policy
from connector.http.response import unpack_embeddings
from connector.model import JSON, Effect, Outcome, State, is_object, members

__all__ = [
    "NOT_RUN",
    "Answer",
    "Place",
    "answer_of",
    "floats_in",
    "is_line",
    "kept",
    "line_of",
    "outcome_of",
    "request_of",
]

NOT_RUN = ("batch_expired", "batch_cancelled")
"""What the API says of lines that it has not run; those cost nothing."""
CUSTOM_ID = re.compile(r"oc-(\d{1,18})-(\d{1,9})-(\d{1,9})")
PLACE = "place"


@dataclass(frozen=True, slots=True)
class Place:
    """Which of a document's requests it is, of how many."""

    number: int
    of: int


@dataclass(frozen=True, slots=True)
class Answer:
    """A line of an output or error file, and whose it is."""

    task: int
    attempt: int
    number: int
    said: Mapping[str, JSON]


def kept(url: str, body: JSON, request: Mapping[str, JSON], place: Place, *, floats: bool) -> JSON:
    """What is kept of a line: all that is sent, and what of the request is not."""
    other = {name: value for name, value in request.items() if name != "payload"}
    shown: dict[str, JSON] = {"method": "POST", "url": url, "body": body, PLACE: place.number, "places": place.of}
    return shown | ({"other": other} if other else {}) | ({"floats": True} if floats else {})


def is_line(call: CallRecord) -> bool:
    """Whether a call is one that goes in a batch."""
    return is_object(call.request) and PLACE in call.request


def line_of(call: CallRecord) -> bytes:
    """The line as it stands in a batch's file."""
    said = members(call.request)
    custom_id = f"oc-{call.task}-{call.attempt}-{call.number}"
    line = {"custom_id": custom_id, "method": "POST", "url": said["url"], "body": said["body"]}
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def request_of(call: CallRecord) -> JSON:
    """The request that a line was made of."""
    said = members(call.request)
    payload = said["body"]
    if said.get("floats"):
        payload = {name: value for name, value in members(payload).items() if name != "encoding_format"}
    return {**members(said.get("other")), "payload": payload}


def floats_in(call: CallRecord, body: JSON) -> JSON:
    """The answer's body, with numbers where they travelled packed though nobody had asked for that."""
    return unpack_embeddings(body) if members(call.request).get("floats") else body


def answer_of(data: bytes) -> Answer | None:
    """What a line of a result file says; None when it is nobody's."""
    try:
        said = members(orjson.loads(data))
    except orjson.JSONDecodeError:
        return None
    found = CUSTOM_ID.fullmatch(str(said.get("custom_id")))
    return Answer(int(found[1]), int(found[2]), int(found[3]), said) if found else None


def outcome_of(said: Mapping[str, JSON], policy: Policy) -> Outcome:
    """What a line came to, by the policy of single calls; one that was not run was not sent."""
    response = members(said.get("response"))
    status, body = response.get("status_code"), response.get("body")
    request_id = response.get("request_id")
    if isinstance(status, int):
        identity = request_id if isinstance(request_id, str) else None
        if status < 300 and not is_error(body, created=True):
            return Outcome(State.DONE, status, {}, body, identity)
        text = orjson.dumps(body).decode()
        # A batch's own record is no answer of a gateway: what it says no to had no effect and is not paid for.
        verdict = policy.judge(status, {}, find_error_codes(body), text, Effect.NONE, "POST", repeated=False)
        reason = "; ".join(part for part in (find_error_message(body), verdict.advice) if part)
        action = "retry" if verdict.action == "pause" else str(verdict.action)
        return Outcome(verdict.state, status, {}, body, identity, reason=reason, action=action)
    code = str(members(said.get("error")).get("code"))
    reason = find_error_message(said) or "the batch says nothing of it"
    if code in NOT_RUN:
        return Outcome(State.NOT_SENT, reason=reason)
    return Outcome(State.REFUSED, body={"error": said.get("error")}, reason=reason, action="fail")
