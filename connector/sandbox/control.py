"""The sandbox's own paths: what arrived, what is to go wrong, health, and a fresh start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import orjson

from connector.errors import ConnectorError
from connector.model import JSON, is_document, is_list
from connector.sandbox.messages import Answer, Refused

if TYPE_CHECKING:
    from connector.sandbox.app import App

__all__ = ["PREFIX", "control"]

PREFIX = "/sandbox/"
PATHS = {
    "requests": ("GET", "DELETE"),
    "webhooks": ("GET",),
    "faults": ("GET", "POST", "DELETE"),
    "health": ("GET",),
    "reset": ("POST",),
}
FILE = "files/"


def check_page(headers: Mapping[str, str]) -> None:
    """Refuse what a page of another site asks for: a browser tells where a request comes from."""
    origin = headers.get("origin")
    foreign = origin is not None and urlsplit(origin).netloc != headers.get("host")
    if foreign or headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        raise Refused(403, "The sandbox's own paths are not for pages of other sites; call them from a program.")


def control(app: App, method: str, target: str, data: bytes) -> Answer:
    """What the sandbox answers about itself; nobody needs a key for that."""
    path, _, query = target.partition("?")
    name = path.removeprefix(PREFIX)
    if name.startswith(FILE) and method == "GET":
        return _file(app, name.removeprefix(FILE))
    if name not in PATHS:
        raise Refused(404, f"No such path of the sandbox: {path}; there are {', '.join(PREFIX + one for one in PATHS)}")
    if method not in PATHS[name]:
        raise Refused(405, f"Not allowed to {method} on {path}; {' and '.join(PATHS[name])} would be.")
    if name == "requests":
        return _requests(app, method, dict(parse_qsl(query)))
    if name == "webhooks":
        return _lines(app.world.objects.all("sandbox webhooks"))
    if name == "faults":
        return _faults(app, method, data)
    if name == "reset":
        app.reset()
        return Answer({"reset": True})
    return Answer({"status": "ok", "requests": len(app.journal), "seed": app.world.options.seed})


def _file(app: App, name: str) -> Answer:
    """A file that an answer gave the address of, such as a picture."""
    from mimetypes import guess_type

    return Answer(data=app.world.content(name), content_type=guess_type(name)[0] or "application/octet-stream")


def _requests(app: App, method: str, wanted: Mapping[str, str]) -> Answer:
    if method == "DELETE":
        app.journal.clear()
        return Answer({"cleared": True})
    return _lines(app.journal.matching(wanted))


def _lines(documents: Iterable[Mapping[str, JSON]]) -> Answer:
    lines = b"".join(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE) for one in documents)
    return Answer(data=lines, content_type="application/jsonl")


def _faults(app: App, method: str, data: bytes) -> Answer:
    if method == "POST":
        rates, rules = _plan(data)
        try:
            app.faults.replace(rates, rules)
        except ConnectorError as error:
            raise Refused(400, str(error)) from error
    elif method == "DELETE":
        app.faults.clear()
    return Answer(app.faults.as_document())


def _plan(data: bytes) -> tuple[list[str], list[JSON]]:
    """The rates and rules of a body such as `{"rates": ["429:0.05"], "rules": []}`."""
    try:
        said: JSON = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise Refused(400, f"The body is not JSON: {error.msg}.") from None
    rates, rules = (said.get("rates", []), said.get("rules", [])) if is_document(said) else (None, None)
    if not is_document(said) or not said.keys() <= {"rates", "rules"} or not is_list(rates) or not is_list(rules):
        raise Refused(400, 'A body such as {"rates": ["429:0.05"], "rules": [{"operation": …, "fault": …}]} is wanted.')
    return [str(rate) for rate in rates], rules
