"""Checks the curl examples of an OpenAPI document as requests: `python -m tools.curl_examples DOCUMENT`.

The catalogue's own document holds facts only; give one that still has its `x-oaiMeta` examples. What an example is
refused for is printed; it ends with 1 when any was.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from connector.catalogue import Catalogue
from connector.model import InvalidRequest
from connector.request import Preparer
from connector.request.query import coerce
from connector.sandbox.http.form_data import expand_brackets

METHODS = ("get", "post", "put", "patch", "delete")
DATA = ("-d", "--data", "--data-raw", "--data-binary")
OTHERS = {"-X": "method", "--request": "method", "-F": "form", "--form": "form", "-o": "", "-H": "", "--header": ""}
VALUED = {**OTHERS, **dict.fromkeys(DATA, "data")}


@dataclass
class Curl:
    """A command line of curl as the request that it sends."""

    url: str = ""
    method: str = ""
    data: str | None = None
    form: list[str] = field(default_factory=list[str])

    @classmethod
    def read(cls, text: str) -> Curl:
        """Return the request of a command line; ValueError when it is none."""
        words = iter(shlex.split(re.sub(r"\\\s*\n", " ", text))[1:])
        read = cls()
        for word in words:
            if word in ("|", ">", ">>"):
                break
            if word in VALUED:
                read._take(VALUED[word], next(words))
            elif not word.startswith("-"):
                read.url = read.url or word
        if not urlsplit(read.url).path:
            raise ValueError("no URL in it")
        return read

    def _take(self, name: str, value: str) -> None:
        if name == "form":
            self.form.append(value)
        elif name:
            setattr(self, name, value)


def examples(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Return each curl example of a document with its method and path."""
    for path, item in document["paths"].items():
        for method in METHODS:
            found: Any = item.get(method, {}).get("x-oaiMeta", {}).get("examples", [])
            listed: list[Any] = found if isinstance(found, list) else [found]
            texts: list[str] = [example.get("request", {}).get("curl", "") for example in listed]
            yield from ((method.upper(), path, text) for text in texts if text)


class Checker:
    """Checks examples against a catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._preparer = Preparer(catalogue)

    def check(self, method: str, template: str, text: str) -> tuple[str, list[str]]:
        """Return passed, refused, or what the example is otherwise, and what is said of it."""
        try:
            curl = Curl.read(text)
            payload = None if curl.data is None else json.loads(curl.data)
        except (ValueError, StopIteration) as error:
            return "not read", [str(error)]
        found = self._catalogue.match(method, self._path(curl, template))
        if found is None:
            return "another path", [curl.url]
        operation, path = found
        query: dict[str, Any] = {}
        for name, value in parse_qsl(urlsplit(curl.url).query):
            if name not in operation.fixed_query:
                query[name] = [*query.get(name, []), value] if name.endswith("[]") else value
        if curl.form:
            schema = self._catalogue.payload_schema(operation, "multipart") or {}
            payload = coerce(expand_brackets(list(map(_field, curl.form))), schema, schema)
        try:
            wire = self._preparer.prepare(operation, {"path": path, "query": query, "payload": payload}, from_text=True)
        except InvalidRequest as error:
            return "refused", [str(fault) for fault in error.faults]
        return "passed", [str(one) for one in wire.warnings if "unknown" in one.found]

    def _path(self, curl: Curl, template: str) -> str:
        path = urlsplit(curl.url).path.removeprefix("/v1")
        return f"{path}?{template.partition('?')[2]}" if "?" in template else path


def _field(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    if value.startswith("@"):
        return name, {"$content": "aGVsbG8=", "filename": value[1:].partition(";")[0]}
    given, _, kind = value.partition(";type=")
    return name, json.loads(given) if kind == "application/json" else value


def main(document: str) -> int:
    """Print what is said of every example, and how many there are of each kind."""
    checker, counts = Checker(Catalogue.open()), Counter[str]()
    for method, path, text in examples(json.loads(Path(document).read_bytes())):
        kind, said = checker.check(method, path, text)
        counts[kind] += 1
        print("\n  ".join([f"{kind}: {method} {path}", *said])) if said else None
    print(", ".join(f"{count} {kind}" for kind, count in counts.most_common()))
    return int(counts["refused"] > 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
