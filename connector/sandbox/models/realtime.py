"""Realtime: client secrets and calls; nothing is said in them here."""

from __future__ import annotations

from collections.abc import Mapping

from connector.model import JSON, is_document, members
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.messages import Answer, Request, Upload
from connector.sandbox.models.script_handlers import with_scripted_body

__all__ = ["HANDLERS"]

SECRET_LIFE = 600
"""Seconds after which a client secret expires."""
MODEL = "gpt-realtime"
SDP = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=sandbox\r\nt=0 0\r\na=ice-lite\r\n"


def create_secret(request: Request, backend: Backend) -> Answer:
    """Return a client secret with its session."""
    payload: Mapping[str, JSON] = members(request.payload)
    lasting: Mapping[str, JSON] = members(payload.get("expires_after"))
    session: Mapping[str, JSON] = payload.get("session") or {"type": "realtime"}
    expires = int(backend.now()) + (lasting.get("seconds") or SECRET_LIFE)
    made = (
        _build_transcription_session(session, backend)
        if session.get("type") == "transcription"
        else _build_session(session, backend)
    )
    return Answer(body={"value": backend.new_id("ek_"), "expires_at": expires, "session": made})


def create_translation_secret(request: Request, backend: Backend) -> Answer:
    """Return a client secret with its translation session."""
    lasting: Mapping[str, JSON] = members(request.payload.get("expires_after"))
    expires = int(backend.now()) + (lasting.get("seconds") or SECRET_LIFE)
    given: Mapping[str, JSON] = request.payload["session"]
    made = {"id": backend.new_id("sess_"), "type": "translation", "expires_at": expires, "model": given["model"]}
    session: dict[str, JSON] = {**made, "audio": members(given.get("audio"))}
    return Answer(body={"value": backend.new_id("ek_"), "expires_at": expires, "session": session})


def create_session(request: Request, backend: Backend) -> Answer:
    """Return a session of the older kind with its secret."""
    echoed = {name: value for name, value in members(request.payload).items() if name in ECHOED and value is not None}
    secret = {"value": backend.new_id("ek_"), "expires_at": int(backend.now()) + SECRET_LIFE}
    made = {
        "id": backend.new_id("sess_"),
        "object": "realtime.session",
        "model": MODEL,
        "modalities": ["audio", "text"],
    }
    return Answer(body={**made, **echoed, "client_secret": secret})


def create_transcription_session(request: Request, backend: Backend) -> Answer:
    """Return a transcription session of the older kind with its secret."""
    payload: Mapping[str, JSON] = members(request.payload)
    names = ("input_audio_format", "input_audio_transcription", "turn_detection")
    echoed = {name: payload[name] for name in names if payload.get(name) is not None}
    secret = {"value": backend.new_id("ek_"), "expires_at": int(backend.now()) + SECRET_LIFE}
    made = {"id": backend.new_id("sess_"), "object": "realtime.transcription_session", "modalities": ["audio", "text"]}
    return Answer(body={**made, "input_audio_format": "pcm16", **echoed, "client_secret": secret})


def create_call(request: Request, backend: Backend) -> Answer:
    """Return the location of a call and the SDP answer."""
    name = backend.new_id("rtc_")
    offered = request.payload.get("sdp") if is_document(request.payload) else request.payload
    lines = offered.data.decode(errors="replace") if isinstance(offered, Upload) else str(offered or "")
    # The media that were offered are taken, line by line.
    taken = "".join(f"{line.strip()}\r\n" for line in lines.splitlines() if line.startswith("m="))
    headers = {"Location": f"/v1/realtime/calls/{name}"}
    return Answer(status=201, headers=headers, data=(SDP + taken).encode(), content_type="application/sdp")


def acknowledge_call(_: Request, __: Backend) -> Answer:
    """Return an empty answer."""
    return Answer(data=b"")


def _build_session(session: Mapping[str, JSON], backend: Backend) -> dict[str, JSON]:
    made: dict[str, JSON] = {"id": backend.new_id("sess_"), "object": "realtime.session", "type": "realtime"}
    default: dict[str, JSON] = {"model": MODEL, "output_modalities": ["audio"], "instructions": "", "tools": []}
    default |= {"tool_choice": "auto", "max_output_tokens": "inf", "truncation": "auto", "expires_at": 0}
    return {**made, **default, **_without_nulls(session)}


def _build_transcription_session(session: Mapping[str, JSON], backend: Backend) -> dict[str, JSON]:
    made: dict[str, JSON] = {"id": backend.new_id("sess_"), "object": "realtime.transcription_session"}
    return {**made, "expires_at": 0, **_without_nulls(session)}


def _without_nulls(session: Mapping[str, JSON]) -> dict[str, JSON]:
    return {name: value for name, value in session.items() if value is not None and name != "client_secret"}


ECHOED = ("instructions", "tool_choice", "tools", "turn_detection", "input_audio_transcription", "temperature", "speed",
        "modalities", "voice", "input_audio_format", "output_audio_format", "max_response_output_tokens",
        "truncation", "prompt", "tracing")  # fmt: skip
"""The fields of a session of the older kind that are shown as they were given."""

HANDLERS: Mapping[str, Handler] = {
    "POST /realtime/client_secrets": with_scripted_body(create_secret),
    "POST /realtime/translations/client_secrets": with_scripted_body(create_translation_secret),
    "POST /realtime/sessions": with_scripted_body(create_session),
    "POST /realtime/transcription_sessions": with_scripted_body(create_transcription_session),
    "POST /realtime/calls": with_scripted_body(create_call),
    "POST /realtime/calls/{call_id}/accept": acknowledge_call,
    "POST /realtime/calls/{call_id}/hangup": acknowledge_call,
    "POST /realtime/calls/{call_id}/refer": acknowledge_call,
    "POST /realtime/calls/{call_id}/reject": acknowledge_call,
}
