"""What a request may do: who makes it, with which role, from which page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPBearer

from connector.studio.auth import Session
from connector.studio.context import StudioContext
from connector.studio.problems import Refused
from connector.studio.roles import Person, Role

__all__ = [
    "CSRF",
    "Context",
    "Editor",
    "Operator",
    "Viewer",
    "check_page",
    "find_person",
    "find_session",
    "get_context",
    "needs",
    "slow_down",
]

CSRF = "x-csrf-token"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
OWN_PAGES = (None, "same-origin", "none")
"""What a browser says of a request that no other page makes; programs say nothing."""

bearer = HTTPBearer(auto_error=False, description="A token of `studio.tokens`.", scheme_name="token")
cookie = APIKeyCookie(
    name="studio",
    auto_error=False,
    scheme_name="session",
    description="The session of the pages: `POST /session` opens it, and X-CSRF-Token repeats its `csrf`.",
)


def get_context(request: Request) -> StudioContext:
    """Return what the studio's parts share."""
    context: StudioContext = request.app.state.context
    return context


Context = Annotated[StudioContext, Depends(get_context)]


def find_session(request: Request, context: StudioContext) -> Session | None:
    """Return the session of a request's cookie."""
    secret = request.cookies.get(context.cookie)
    return context.sessions.find(secret) if secret else None


def check_page(request: Request, context: StudioContext) -> None:
    """Refuse what a page of another origin asks for; another port of this machine is another origin."""
    origin = request.headers.get("origin")
    if request.headers.get("sec-fetch-site") not in OWN_PAGES or origin not in (None, *context.origins):
        raise Refused(403, "the request comes from another page", "open the studio itself", kind="other-origin")


def slow_down(request: Request, context: StudioContext) -> str:
    """Return the address of whoever signs in; refuse one that has guessed too often."""
    address = request.client.host if request.client else ""
    wait = context.attempts.wait(address)
    if wait:
        raise Refused(
            429,
            "too many attempts to sign in have failed",
            f"try again in {wait:.0f} s",
            headers={"retry-after": str(int(wait) + 1)},
        )
    return address


def _find_token(request: Request, context: StudioContext, token: str) -> Person:
    # A right token is let in whatever others guess: behind one address there may be many programs.
    found = context.identify(token=token)
    if found is None:
        context.attempts.fail(slow_down(request, context))
        raise Refused(401, "the token is not known", "use a token of `studio.tokens`", headers=CHALLENGE)
    return found


CHALLENGE = {"www-authenticate": "Bearer"}


def find_person(request: Request, context: StudioContext) -> Person:
    """Return who makes a request; refuse nobody, another page, and an unsafe request that does not repeat the token."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if token and kind.lower() == "bearer":
        return _find_token(request, context, token.strip())
    session = find_session(request, context)
    if session is None:
        raise Refused(
            401,
            "nobody is signed in",
            "open the link that `openai-connector studio` prints, or send a token of `studio.tokens` as a bearer token",
            headers=CHALLENGE,
        )
    check_page(request, context)
    if request.method not in SAFE and not context.sessions.matches(session, request.headers.get(CSRF, "")):
        raise Refused(403, "the header X-CSRF-Token is not that of the session", "read it from GET /session")
    return session.person


def needs(role: Role) -> Callable[..., Awaitable[Person]]:
    """Return a dependency that gives who makes the request, and refuses and records one whose role may not."""

    async def check(
        request: Request,
        context: Context,
        _bearer: Annotated[object, Depends(bearer)],
        _cookie: Annotated[object, Depends(cookie)],
    ) -> Person:
        person = find_person(request, context)
        if not person.role.includes(role):
            await context.audit.write(person, request.method.lower(), request.url.path, verdict="refused")
            raise Refused(
                403,
                f"{person.name} is {_article(person.role)} {person.role}, and this needs {_article(role)} {role}",
                "ask somebody with that role, or give the token another one in `studio.tokens`",
                kind="role",
            )
        return person

    return check


def _article(role: Role) -> str:
    return "a" if role is Role.VIEWER else "an"


Viewer = Annotated[Person, Depends(needs(Role.VIEWER))]
Operator = Annotated[Person, Depends(needs(Role.OPERATOR))]
Editor = Annotated[Person, Depends(needs(Role.EDITOR))]
