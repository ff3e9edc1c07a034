"""Recorded answers in place of the network: every request must be recorded, and every recorded one made.

A record that says `repeat` answers any number of requests, none among them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from connector.documents import dump, parse
from connector.errors import ConfigurationError, InvalidDocument
from connector.model import JSON, is_list, is_object, members
from connector.transform.cases import diff

if TYPE_CHECKING:
    import httpx

__all__ = ["Replay"]

REQUEST = ("method", "path", "query", "headers", "payload")
ANSWER = ("status", "headers", "body", "text")


class Replay:
    """Answers requests from what was recorded, in order where several fit."""

    def __init__(self, recorded: JSON, where: str) -> None:
        self._left = list(_check_records(recorded, where))
        self.faults: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Return the recorded answer; an unexpected request is refused for good."""
        asked = _describe_request(request)
        for index, one in enumerate(self._left):
            if _matches(one["request"], asked):
                if not one.get("repeat"):
                    del self._left[index]
                return _make_response(one.get("answer") or {})
        nearest = self._left[0]["request"] if self._left else None
        self.faults.append(
            f"a request that was not recorded: {asked['method']} {asked['path']}\n"
            + (diff(nearest, _narrow(asked, nearest)) if nearest is not None else diff(None, asked))
        )
        return _make_response(
            {"status": 400, "headers": {"x-should-retry": "false"}, "body": {"error": {"message": "not recorded"}}}
        )

    def finish(self) -> None:
        """Note the recorded requests that were never made."""
        self.faults += [
            f"a recorded request was not made: {dump(one['request']).decode()}"
            for one in self._left
            if not one.get("repeat")
        ]


def _check_records(recorded: JSON, where: str) -> Sequence[Mapping[str, JSON]]:
    if not is_list(recorded):
        raise ConfigurationError(f"{where}: upstream is a list of {{request, answer}}")
    for index, one in enumerate(recorded):
        place = f"{where}.upstream[{index}]"
        if not is_object(one) or not is_object(one.get("request")) or set(one) - {"request", "answer", "repeat"}:
            raise ConfigurationError(
                f"{place}: an object {{request, answer}} is needed, with repeat: true where it answers any number"
            )
        _check_names(one["request"], REQUEST, f"{place}.request")
        _check_names(one.get("answer") or {}, ANSWER, f"{place}.answer")
    return recorded


def _check_names(part: Mapping[str, JSON], known: Sequence[str], where: str) -> None:
    unknown = [name for name in part if name not in known]
    if unknown:
        raise ConfigurationError(f"{where}.{unknown[0]}: unknown key; known: {', '.join(known)}")


def _describe_request(request: httpx.Request) -> dict[str, JSON]:
    document: dict[str, JSON] = {
        "method": request.method,
        "path": request.url.path,
        "query": dict(parse_qsl(request.url.query.decode(), keep_blank_values=True)),
        "headers": {name.lower(): value for name, value in request.headers.items()},
    }
    return document | {"payload": _decode_payload(request)}


def _decode_payload(request: httpx.Request) -> JSON:
    content = request.content
    if not content:
        return None
    try:
        return parse(content)
    except InvalidDocument:
        return content.decode(errors="replace").replace("\0", "")


def _matches(wanted: Mapping[str, JSON], asked: Mapping[str, JSON]) -> bool:
    """Return whether a request is the recorded one: what was recorded of it is there, more may be."""
    path = str(wanted.get("path", ""))
    if wanted.get("method", asked["method"]).upper() != asked["method"] or not str(asked["path"]).endswith(path):
        return False
    query = {name: str(value) for name, value in members(wanted.get("query")).items()}
    headers = {name.lower(): str(value) for name, value in members(wanted.get("headers")).items()}
    return (
        _contains(query, asked["query"])
        and _contains(headers, asked["headers"])
        and _contains(wanted.get("payload"), asked["payload"])
    )


def _contains(wanted: JSON, found: JSON) -> bool:
    """Return whether everything that is wanted is in what was found."""
    if wanted is None:
        return True
    if is_object(wanted):
        return is_object(found) and all(name in found and _equal(value, found[name]) for name, value in wanted.items())
    return _equal(wanted, found)


def _equal(wanted: JSON, found: JSON) -> bool:
    if is_object(wanted):
        return _contains(wanted, found)
    if is_list(wanted):
        return is_list(found) and len(wanted) == len(found) and all(map(_equal, wanted, found))
    return bool(wanted == found)


def _narrow(found: JSON, wanted: JSON) -> JSON:
    """Return what was found, without the parts that the case does not mention, so that the difference is short."""
    if is_object(found) and is_object(wanted):
        return {name: _narrow(found[name], wanted[name]) for name in wanted if name in found}
    return found


def _make_response(answer: Mapping[str, JSON]) -> httpx.Response:
    import httpx

    status, headers = int(answer.get("status", 200)), dict(answer.get("headers") or {})
    if "text" in answer:
        return httpx.Response(status, headers=headers, text=str(answer["text"]))
    if "body" in answer:
        return httpx.Response(
            status, headers={"content-type": "application/json", **headers}, content=dump(answer["body"])
        )
    return httpx.Response(status, headers=headers)
