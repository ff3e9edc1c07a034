"""The sandbox's own paths below `/sandbox/`: logged requests, faults, webhooks, files, health and reset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, urlsplit

import orjson

from connector.errors import ConnectorError
from connector.model import JSON, is_document, is_list
from connector.sandbox.backend import Backend
from connector.sandbox.fault_plan import FaultPlan
from connector.sandbox.http.request_log import RequestLog
from connector.sandbox.messages import Answer, ApiError
from connector.sandbox.webhooks import DELIVERIES

__all__ = ["PREFIX", "Control", "check_origin"]

PREFIX = "/sandbox/"
PATHS = {
    "requests": ("GET", "DELETE"),
    "webhooks": ("GET",),
    "faults": ("GET", "POST", "DELETE"),
    "health": ("GET",),
    "reset": ("POST",),
}
FILE_PREFIX = "files/"


class Control:
    """Answers the sandbox's own paths, which need no key."""

    def __init__(self, backend: Backend, request_log: RequestLog, faults: FaultPlan) -> None:
        self._backend = backend
        self._request_log = request_log
        self._faults = faults

    def reset(self) -> None:
        """Delete everything, and begin again as if just started."""
        self._backend.reset()
        self._request_log.clear()
        self._faults.reset()

    def answer(self, method: str, target: str, data: bytes) -> Answer:
        """Return the answer of one of the sandbox's own paths."""
        path, _, query = target.partition("?")
        name = path.removeprefix(PREFIX)
        if name.startswith(FILE_PREFIX) and method == "GET":
            return self._download_file(name.removeprefix(FILE_PREFIX))
        if name not in PATHS:
            known = ", ".join(PREFIX + one for one in PATHS)
            raise ApiError(404, f"No such path of the sandbox: {path}; there are {known}")
        if method not in PATHS[name]:
            raise ApiError(405, f"Not allowed to {method} on {path}; {' and '.join(PATHS[name])} would be.")
        if name == "requests":
            return self._answer_requests(method, dict(parse_qsl(query)))
        if name == "webhooks":
            return _build_lines(self._backend.objects.all(DELIVERIES))
        if name == "faults":
            return self._answer_faults(method, data)
        if name == "reset":
            self.reset()
            return Answer({"reset": True})
        return Answer({"status": "ok", "requests": len(self._request_log), "seed": self._backend.options.seed})

    def _download_file(self, name: str) -> Answer:
        """Return a file that an answer gave the address of, such as a picture."""
        from mimetypes import guess_type

        data = self._backend.read_content(name)
        return Answer(data=data, content_type=guess_type(name)[0] or "application/octet-stream")

    def _answer_requests(self, method: str, filters: Mapping[str, str]) -> Answer:
        if method == "DELETE":
            self._request_log.clear()
            return Answer({"cleared": True})
        return _build_lines(self._request_log.select(filters))

    def _answer_faults(self, method: str, data: bytes) -> Answer:
        if method == "POST":
            rates, rules = _read_plan(data)
            try:
                self._faults.replace(rates, rules)
            except ConnectorError as error:
                raise ApiError(400, str(error)) from error
        elif method == "DELETE":
            self._faults.clear()
        return Answer(self._faults.as_document())


def check_origin(headers: Mapping[str, str]) -> None:
    """Refuse what a page of another site asks for: a browser says where a request comes from."""
    origin = headers.get("origin")
    is_foreign = origin is not None and urlsplit(origin).netloc != headers.get("host")
    if is_foreign or headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        raise ApiError(403, "The sandbox's own paths are not for pages of other sites; call them from a program.")


def _build_lines(documents: Iterable[Mapping[str, JSON]]) -> Answer:
    lines = b"".join(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE) for one in documents)
    return Answer(data=lines, content_type="application/jsonl")


def _read_plan(data: bytes) -> tuple[list[str], list[JSON]]:
    """Return the rates and rules of a body such as `{"rates": ["429:0.05"], "rules": []}`."""
    try:
        plan: JSON = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise ApiError(400, f"The body is not JSON: {error.msg}.") from None
    rates, rules = (plan.get("rates", []), plan.get("rules", [])) if is_document(plan) else (None, None)
    if not is_document(plan) or not plan.keys() <= {"rates", "rules"} or not is_list(rates) or not is_list(rules):
        raise ApiError(
            400, 'A body such as {"rates": ["429:0.05"], "rules": [{"operation": …, "fault": …}]} is wanted.'
        )
    return [str(rate) for rate in rates], rules
