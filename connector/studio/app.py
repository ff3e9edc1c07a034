"""The studio as one ASGI application: the API below /api/v1, the pages everywhere else."""

from __future__ import annotations

import logging
import re
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import compile_path

from connector.engine import Fenced, StoreBroken, StoreFull
from connector.errors import ConnectorError, UnknownName
from connector.model import JSON
from connector.studio.api import TAGS, TOPICS
from connector.studio.context import StudioContext
from connector.studio.middleware import BodyLimit, ExactHosts, SecurityHeaders
from connector.studio.problems import RESPONSES, Detail, Problem, Refused
from connector.studio.static import Pages
from connector.version import version

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

__all__ = ["PREFIX", "create_app", "describe_api"]

PREFIX = "/api/v1"
DESCRIPTION = """Everything that the studio's pages show and do.

A program sends a token of `studio.tokens` as a bearer token. The pages open a session with `POST /session`; their
unsafe requests repeat its `csrf` in the header `X-CSRF-Token`.

Lists are paged: pass `next` of one page as `cursor` of the next. Errors are `application/problem+json` and say what to
do next. Times are RFC 3339 in UTC."""

BAD_REQUEST, NOT_ALLOWED = 400, 405

log = logging.getLogger(__name__)


def create_app(context: StudioContext) -> FastAPI:
    """Return the application of a studio."""
    app = _make_api()
    app.state.context = context
    _add_document(app)
    app.router.default = _Fallback(Pages(context.pages))
    app.add_exception_handler(Refused, _answer_refused)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(ConnectorError, _answer_connector)
    app.add_exception_handler(Exception, _answer_unexpected)
    app.add_middleware(BodyLimit)
    app.add_middleware(ExactHosts, hosts=[origin.partition("://")[2] for origin in context.origins])
    app.add_middleware(SecurityHeaders)
    return app


def _make_api() -> FastAPI:
    """Return an application with the operations of the API and nothing else."""
    app = FastAPI(
        title="openai-connector studio",
        version=version(),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    api = APIRouter(prefix=PREFIX, responses={**RESPONSES})
    for topic in TOPICS:
        api.include_router(import_module(f"connector.studio.api.{topic}").router)
    app.include_router(api)
    return app


class _Fallback:
    """Answers what is no operation: below the API with a problem, elsewhere with the pages."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope["path"])
        if path.startswith("/api/"):
            raise Refused(404, f"there is no operation at {path}", f"{PREFIX}/openapi.json lists what there is")
        await self._pages(scope, receive, send)


def describe_api() -> dict[str, JSON]:
    """Return the OpenAPI 3.1 document of the API."""
    app = _make_api()
    document = get_openapi(title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes)
    document["servers"] = [{"url": "/"}]
    document["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs", {}) | {"Problem": problem}
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return document


def _add_document(app: FastAPI) -> None:
    document: dict[str, JSON] = {}

    async def read_document() -> dict[str, JSON]:
        if not document:
            document.update(describe_api())
        return document

    app.add_api_route(
        f"{PREFIX}/openapi.json", read_document, include_in_schema=False, response_model=None, methods=["GET"]
    )


async def _answer_refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)  # noqa: S101  that is what it is registered for
    return error.response()


async def _answer_invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  that is what it is registered for
    found = [_detail(fault) for fault in error.errors()]
    return Refused(
        422, "what was sent is not what is allowed", "mend what `errors` names", kind="invalid", errors=found
    ).response()


def _detail(fault: dict[str, JSON]) -> Detail:
    """Return a fault without the value that was sent, which may be a secret."""
    where = ".".join(str(part) for part in fault.get("loc", ()))
    message = str(fault.get("msg", ""))
    if fault.get("type") == "missing":
        return Detail(where=where, found="nothing", allowed="it is needed")
    if fault.get("type") == "extra_forbidden":
        return Detail(where=where, found="a name that is not known", allowed="leave it out")
    return Detail(where=where, found="something else", allowed=message[:1].lower() + message[1:])


async def _answer_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  that is what it is registered for
    if error.status_code == NOT_ALLOWED:
        allowed = ", ".join(_find_methods(request.url.path))
        detail = f"{request.method} is not allowed at {request.url.path}; there is {allowed}"
        return Refused(NOT_ALLOWED, detail, headers={"allow": allowed}).response()
    advice = f"{PREFIX}/openapi.json says what is allowed" if error.status_code == BAD_REQUEST else ""
    return Refused(error.status_code, str(error.detail), advice, headers=error.headers).response()


@cache
def _operations() -> tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]:
    """Return the methods of the API by the patterns of their paths."""
    paths: dict[str, dict[str, JSON]] = describe_api()["paths"]
    return tuple((compile_path(path)[0], tuple(map(str.upper, methods))) for path, methods in paths.items())


def _find_methods(path: str) -> list[str]:
    """Return the methods of all operations at a path; one that is spelt out goes before those with parameters."""
    fitting = [(bool(pattern.groups), methods) for pattern, methods in _operations() if pattern.match(path)]
    spelt_out = [methods for has_parameters, methods in fitting if not has_parameters]
    return sorted({method for methods in spelt_out or [each for _, each in fitting] for method in methods})


async def _answer_connector(request: Request, error: Exception) -> Response:
    context: StudioContext = request.app.state.context
    text = context.redactor(str(error))
    if isinstance(error, StoreFull):
        return Refused(503, text, "make space; then try again", headers={"retry-after": "5"}).response()
    if isinstance(error, (StoreBroken, Fenced)):
        return Refused(503, text, "look at the store; then start the studio again").response()
    return Refused(404 if isinstance(error, UnknownName) else 422, text).response()


async def _answer_unexpected(request: Request, error: Exception) -> Response:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return Refused(500, "something went wrong here; the log of the studio says what", "look at the log").response()
