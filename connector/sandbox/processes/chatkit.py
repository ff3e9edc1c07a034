"""ChatKit sessions: a secret for a browser, for ten minutes at most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.model import JSON
from connector.sandbox.call import Answer
from connector.sandbox.processes.kept import body_of
from connector.shapes import members

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connector.sandbox.call import Call, Handler, World
    from connector.sandbox.processes.timetable import Entry

__all__ = ["HANDLERS", "SESSIONS", "expire"]

SESSIONS = "chatkit sessions"
TEN_MINUTES = 600
USUAL: Mapping[str, Mapping[str, JSON]] = {
    "automatic_thread_titling": {"enabled": True},
    "file_upload": {"enabled": False, "max_file_size": None, "max_files": None},
    "history": {"enabled": True, "recent_threads": None},
}


def create(call: Call, world: World) -> Answer:
    asked, now = body_of(call), int(world.now())
    seconds = members(asked.get("expires_after")).get("seconds", TEN_MINUTES)
    most = members(asked.get("rate_limits")).get("max_requests_per_1_minute", 10)
    made: dict[str, JSON] = {"id": world.new_id("cksess_"), "object": "chatkit.session", "status": "active"}
    made |= {"user": asked["user"], "expires_at": now + seconds, "client_secret": world.new_id("ek_")}
    made |= {"max_requests_per_1_minute": most, "rate_limits": {"max_requests_per_1_minute": most}}
    given = members(asked.get("chatkit_configuration"))
    made["chatkit_configuration"] = {name: {**usual, **members(given.get(name))} for name, usual in USUAL.items()}
    usual = {"state_variables": None, "tracing": {"enabled": True}, "version": None}
    made["workflow"] = {**usual, **asked["workflow"]}
    world.objects.put(SESSIONS, made)
    world.processes.open(SESSIONS, made["id"], made["expires_at"])
    return Answer(made)


def cancel(call: Call, world: World) -> Answer:
    session = world.found(SESSIONS, call.path["session_id"])
    if session["status"] == "active":
        session["status"] = "cancelled"
        world.objects.put(SESSIONS, session)
    return Answer(session)


async def expire(world: World, entry: Entry) -> None:
    """A session's time is over."""
    session = world.objects.get(SESSIONS, entry.id)
    if session is not None and session["status"] == "active":
        world.objects.put(SESSIONS, {**session, "status": "expired"})


HANDLERS: Mapping[str, Handler] = {
    "POST /chatkit/sessions": create,
    "POST /chatkit/sessions/{session_id}/cancel": cancel,
}
