"""The sandbox's own paths: what arrived, what is to go wrong, health, and a fresh start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import orjson

from connector.errors import ConnectorError
from connector.model import JSON, is_document
from connector.sandbox.messages import Answer, Refused

if TYPE_CHECKING:
    from connector.sandbox.app import App

__all__ = ["PREFIX", "control"]

PREFIX = "/sandbox/"
PATHS = {
    "requests": ("GET", "DELETE"),
    "faults": ("GET", "POST", "DELETE"),
    "health": ("GET",),
    "reset": ("POST",),
}
FILE = "files/"


def control(app: App, method: str, target: str, data: bytes) -> Answer:
    """What the sandbox answers about itself; nobody needs a key for that."""
    path, _, query = target.partition("?")
    name = path.removeprefix(PREFIX)
    if name.startswith(FILE) and method == "GET":
        return Answer(data=app.world.content(name.removeprefix(FILE)), content_type="application/octet-stream")
    if name not in PATHS:
        raise Refused(404, f"No such path of the sandbox: {path}; there are {', '.join(PREFIX + one for one in PATHS)}")
    if method not in PATHS[name]:
        raise Refused(405, f"Not allowed to {method} on {path}; {' and '.join(PATHS[name])} would be.")
    if name == "requests":
        return _requests(app, method, dict(parse_qsl(query)))
    if name == "faults":
        return _faults(app, method, data)
    if name == "reset":
        app.reset()
        return Answer({"reset": True})
    return Answer({"status": "ok", "requests": len(app.journal), "seed": app.world.options.seed})


def _requests(app: App, method: str, wanted: Mapping[str, str]) -> Answer:
    if method == "DELETE":
        app.journal.clear()
        return Answer({"cleared": True})
    lines = b"".join(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE) for one in app.journal.matching(wanted))
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
    if not is_document(said) or not said.keys() <= {"rates", "rules"}:
        raise Refused(400, 'A body such as {"rates": ["429:0.05"], "rules": [{"operation": …, "fault": …}]} is wanted.')
    rates, rules = said.get("rates", []), said.get("rules", [])
    if not isinstance(rates, list) or not isinstance(rules, list):
        raise Refused(400, "'rates' and 'rules' are lists.")
    return [str(rate) for rate in rates], rules
