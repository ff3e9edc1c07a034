"""Sign in, sign out, and read who is signed in to what."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from connector.studio.access import Context, Viewer, check_page, find_session, slow_down
from connector.studio.context import StudioContext
from connector.studio.problems import Refused
from connector.studio.roles import Person
from connector.studio.schemas.session import ConfigurationName, SessionInfo, SignIn
from connector.studio.status import find_environment, read_attention, read_runner
from connector.version import version

__all__ = ["router"]

router = APIRouter(tags=["session"])


@router.post("/session", summary="Sign in", status_code=201)
async def sign_in(given: SignIn, request: Request, response: Response, context: Context) -> SessionInfo:
    """Open a session with the code of a printed link, or with a token; the cookie holds it from now on."""
    check_page(request, context)
    address = slow_down(request, context)
    person = context.identify(code=given.code, token=given.token)
    if person is None:
        context.attempts.fail(address)
        raise Refused(
            401,
            "the code or token is not known; a code works once",
            "start `openai-connector studio` again for a new link, or sign in with a token of `studio.tokens`",
        )
    secret, session = context.sessions.open(person)
    response.set_cookie(context.cookie, secret, httponly=True, samesite="strict", secure=context.is_secure, path="/")
    return await _describe(context, session.person, session.csrf)


@router.get("/session", summary="Read who is signed in")
async def read_session(request: Request, person: Viewer, context: Context) -> SessionInfo:
    """Return who is signed in, with which role, to which configuration, and what needs a person."""
    session = find_session(request, context) if person.by == "session" else None
    return await _describe(context, person, session.csrf if session else None)


@router.delete("/session", summary="Sign out", status_code=204)
async def sign_out(request: Request, response: Response, person: Viewer, context: Context) -> None:
    """End the session of the cookie; a token stays valid."""
    if person.by == "session":
        context.sessions.close(request.cookies[context.cookie])
    response.delete_cookie(context.cookie, httponly=True, samesite="strict", secure=context.is_secure, path="/")


async def _describe(context: StudioContext, person: Person, csrf: str | None) -> SessionInfo:
    return SessionInfo(
        name=person.name,
        role=person.role,
        csrf=csrf,
        configuration=ConfigurationName(name=context.name, path=str(context.source.resolve())),
        environment=await find_environment(context),
        runner=await read_runner(context),
        version=version(),
        attention=await read_attention(context),
    )
