"""Realtime: keys for clients, and calls that are taken up; nothing is said in them here."""

from __future__ import annotations

from collections.abc import Mapping

from connector.model import JSON, is_document
from connector.sandbox.answers.scripted import silent
from connector.sandbox.call import Answer, Call, Handler, Upload, World
from connector.shapes import members

__all__ = ["HANDLERS"]

LIFE = 600
"""Seconds for which a client's key can be used."""
MODEL = "gpt-realtime"
SDP = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=sandbox\r\nt=0 0\r\na=ice-lite\r\n"


def create_secret(call: Call, world: World) -> Answer:
    """A client's key with the session it is for."""
    payload: Mapping[str, JSON] = members(call.payload)
    lasting: Mapping[str, JSON] = members(payload.get("expires_after"))
    session: Mapping[str, JSON] = payload.get("session") or {"type": "realtime"}
    expires = int(world.now()) + (lasting.get("seconds") or LIFE)
    made = _transcribing(session, world) if session.get("type") == "transcription" else _talking(session, world)
    return Answer(body={"value": world.new_id("ek_"), "expires_at": expires, "session": made})


def create_translation_secret(call: Call, world: World) -> Answer:
    """A client's key with the translation it is for."""
    lasting: Mapping[str, JSON] = members(call.payload.get("expires_after"))
    expires = int(world.now()) + (lasting.get("seconds") or LIFE)
    asked: Mapping[str, JSON] = call.payload["session"]
    made = {"id": world.new_id("sess_"), "type": "translation", "expires_at": expires, "model": asked["model"]}
    session: dict[str, JSON] = {**made, "audio": members(asked.get("audio"))}
    return Answer(body={"value": world.new_id("ek_"), "expires_at": expires, "session": session})


def create_session(call: Call, world: World) -> Answer:
    """A session of the older kind, with its key."""
    kept = {name: value for name, value in members(call.payload).items() if name in KEPT and value is not None}
    secret = {"value": world.new_id("ek_"), "expires_at": int(world.now()) + LIFE}
    made = {"id": world.new_id("sess_"), "object": "realtime.session", "model": MODEL, "modalities": ["audio", "text"]}
    return Answer(body={**made, **kept, "client_secret": secret})


def create_transcription_session(call: Call, world: World) -> Answer:
    """A transcription session of the older kind, with its key."""
    payload: Mapping[str, JSON] = members(call.payload)
    names = ("input_audio_format", "input_audio_transcription", "turn_detection")
    kept = {name: payload[name] for name in names if payload.get(name) is not None}
    secret = {"value": world.new_id("ek_"), "expires_at": int(world.now()) + LIFE}
    made = {"id": world.new_id("sess_"), "object": "realtime.transcription_session", "modalities": ["audio", "text"]}
    return Answer(body={**made, "input_audio_format": "pcm16", **kept, "client_secret": secret})


def create_call(call: Call, world: World) -> Answer:
    """A call: where it is found, and the other side's description of it."""
    name = world.new_id("rtc_")
    offered = call.payload.get("sdp") if is_document(call.payload) else call.payload
    lines = offered.data.decode(errors="replace") if isinstance(offered, Upload) else str(offered or "")
    # The media that were offered are taken, line by line.
    taken = "".join(f"{line.strip()}\r\n" for line in lines.splitlines() if line.startswith("m="))
    headers = {"Location": f"/v1/realtime/calls/{name}"}
    return Answer(status=201, headers=headers, data=(SDP + taken).encode(), content_type="application/sdp")


def acknowledge(_: Call, __: World) -> Answer:
    """What was asked of a call is done; there is nothing to say."""
    return Answer(data=b"")


def _talking(session: Mapping[str, JSON], world: World) -> dict[str, JSON]:
    made: dict[str, JSON] = {"id": world.new_id("sess_"), "object": "realtime.session", "type": "realtime"}
    usual: dict[str, JSON] = {"model": MODEL, "output_modalities": ["audio"], "instructions": "", "tools": []}
    usual |= {"tool_choice": "auto", "max_output_tokens": "inf", "truncation": "auto", "expires_at": 0}
    return {**made, **usual, **_given(session)}


def _transcribing(session: Mapping[str, JSON], world: World) -> dict[str, JSON]:
    made: dict[str, JSON] = {"id": world.new_id("sess_"), "object": "realtime.transcription_session"}
    return {**made, "expires_at": 0, **_given(session)}


def _given(session: Mapping[str, JSON]) -> dict[str, JSON]:
    return {name: value for name, value in session.items() if value is not None and name != "client_secret"}


KEPT = ("instructions", "tool_choice", "tools", "turn_detection", "input_audio_transcription", "temperature", "speed",
        "modalities", "voice", "input_audio_format", "output_audio_format", "max_response_output_tokens",
        "truncation", "prompt", "tracing")  # fmt: skip
"""What a session of the older kind tells as it was asked for."""

HANDLERS: Mapping[str, Handler] = {
    "POST /realtime/client_secrets": silent(create_secret),
    "POST /realtime/translations/client_secrets": silent(create_translation_secret),
    "POST /realtime/sessions": silent(create_session),
    "POST /realtime/transcription_sessions": silent(create_transcription_session),
    "POST /realtime/calls": silent(create_call),
    "POST /realtime/calls/{call_id}/accept": acknowledge,
    "POST /realtime/calls/{call_id}/hangup": acknowledge,
    "POST /realtime/calls/{call_id}/refer": acknowledge,
    "POST /realtime/calls/{call_id}/reject": acknowledge,
}
