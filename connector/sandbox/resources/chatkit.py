"""ChatKit sessions: a secret for a browser, for ten minutes at most."""

from __future__ import annotations

from collections.abc import Mapping

from connector.model import JSON, members
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.messages import Answer, Request
from connector.sandbox.resources.crud import get_body
from connector.sandbox.timers import Timer

__all__ = ["HANDLERS", "SESSIONS", "expire_session"]

SESSIONS = "chatkit sessions"
TEN_MINUTES = 600
DEFAULTS: Mapping[str, Mapping[str, JSON]] = {
    "automatic_thread_titling": {"enabled": True},
    "file_upload": {"enabled": False, "max_file_size": None, "max_files": None},
    "history": {"enabled": True, "recent_threads": None},
}


def create_session(request: Request, backend: Backend) -> Answer:
    body, now = get_body(request), int(backend.now())
    seconds = members(body.get("expires_after")).get("seconds", TEN_MINUTES)
    limit = members(body.get("rate_limits")).get("max_requests_per_1_minute", 10)
    made: dict[str, JSON] = {"id": backend.new_id("cksess_"), "object": "chatkit.session", "status": "active"}
    made |= {"user": body["user"], "expires_at": now + seconds, "client_secret": backend.new_id("ek_")}
    made |= {"max_requests_per_1_minute": limit, "rate_limits": {"max_requests_per_1_minute": limit}}
    given = members(body.get("chatkit_configuration"))
    made["chatkit_configuration"] = {
        name: {**default, **members(given.get(name))} for name, default in DEFAULTS.items()
    }
    default = {"state_variables": None, "tracing": {"enabled": True}, "version": None}
    made["workflow"] = {**default, **body["workflow"]}
    backend.objects.put(SESSIONS, made)
    backend.scheduler.schedule(SESSIONS, made["id"], made["expires_at"])
    return Answer(made)


def cancel_session(request: Request, backend: Backend) -> Answer:
    session = backend.require_object(SESSIONS, request.path["session_id"])
    if session["status"] == "active":
        session["status"] = "cancelled"
        backend.objects.put(SESSIONS, session)
    return Answer(session)


async def expire_session(backend: Backend, timer: Timer) -> None:
    """Expire a session."""
    session = backend.objects.get(SESSIONS, timer.id)
    if session is not None and session["status"] == "active":
        backend.objects.put(SESSIONS, {**session, "status": "expired"})


HANDLERS: Mapping[str, Handler] = {
    "POST /chatkit/sessions": create_session,
    "POST /chatkit/sessions/{session_id}/cancel": cancel_session,
}
