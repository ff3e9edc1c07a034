"""The headers of a call: those of the operation, and the caller's own as far as they are a caller's to give."""

from __future__ import annotations

import re
from collections.abc import Mapping

from connector.catalogue.operation import Operation
from connector.model import JSON, Fault, items, members
from connector.request.display import describe_value
from connector.request.validation import CompiledSchema, Findings, Validate
from connector.suggestions import closest, did_you_mean

__all__ = ["BETA", "Headers"]

TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
FORBIDDEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
BETA = "openai-beta"
CREDENTIALS = {
    "authorization": "the client's parameter token",
    "proxy-authorization": "the client's parameter proxy",
    "api-key": "the client's parameter api_key",
}
"""Headers that would carry a secret, and what to use for it."""
CONNECTION = {
    "host": "the client's parameter base_uri",
    "content-length": "nothing, it is counted",
    "transfer-encoding": "nothing, the client chooses it",
    "connection": "nothing, the client keeps its connections",
    "keep-alive": "nothing, the client keeps its connections",
    "upgrade": "nothing, calls are plain HTTP",
    "te": "nothing, the client chooses it",
    "trailer": "nothing, the client chooses it",
    "expect": "nothing, the client chooses it",
}
"""Headers that would break the connection, and what to use instead."""
RESERVED = CREDENTIALS | CONNECTION


class Headers:
    """The headers an operation takes.

    Args:
        operation: declares headers; without one every header is unknown.
        constant: what goes out unless the caller gives another value.
    """

    def __init__(self, operation: Operation | None, constant: Mapping[str, str]) -> None:
        declared: Mapping[str, JSON] = operation.headers if operation is not None else {}
        self.declared: dict[str, JSON] = {name.lower(): schema for name, schema in declared.items()}
        self.constant = constant

    def resolve(self, given: Mapping[str, JSON], mode: Validate, findings: Findings) -> dict[str, str]:
        """Return the headers to send, under lower-case names; the caller's own win."""
        headers = dict(self.constant)
        seen: dict[str, str] = {}
        for name, value in given.items():
            lower = self._normalise_name(name)
            fault = self._check_allowed(name, lower, value) or self._check_repeated(name, lower, seen)
            if fault:
                findings.faults.append(fault)
                continue
            if value is None or value == []:
                continue
            self._check_value(name, lower, value, mode, findings)
            headers[lower] = _format_value(value)
        return headers

    def _normalise_name(self, name: str) -> str:
        lower = str(name).lower()
        return BETA if lower == "betas" and BETA in self.declared else lower

    def _check_repeated(self, name: str, lower: str, seen: dict[str, str]) -> Fault | None:
        if seen.setdefault(lower, name) == name:
            return None
        return Fault(f"headers.{name}", f"given twice, as {seen[lower]!r} too", "one of them is allowed")

    def _check_allowed(self, name: str, lower: str, value: JSON) -> Fault | None:
        where = f"headers.{name}"
        if not TOKEN.fullmatch(lower):
            return Fault(f"headers[{name[:60]!r}]", "not a header name", "letters, digits and - are allowed")
        if lower in RESERVED:
            return Fault(where, "not a caller's to set", f"use {RESERVED[lower]}")
        if lower == "betas":
            return Fault(where, "this operation takes no betas", "operations whose path ends in ?beta=true take them")
        if not isinstance(value, str | int | float | list | tuple | None) or isinstance(value, bool):
            return Fault(where, f"found {describe_value(value)}", "text is allowed")
        if lower not in self.declared and isinstance(value, list | tuple):
            return Fault(where, "found an array", "text is allowed")
        try:
            bad = FORBIDDEN.search(_format_value(value)) or not _format_value(value).encode()
        except UnicodeEncodeError:
            bad = True
        if bad and value not in (None, "", []):
            return Fault(where, "holds a line break or another control character", "one line of text is allowed")
        return None

    def _check_value(self, name: str, lower: str, value: JSON, mode: Validate, findings: Findings) -> None:
        schema = self.declared.get(lower)
        if schema is None:
            self._warn_of_unknown(name, lower, findings)
            return
        many = members(schema).get("type") == "array"
        given = [item.strip() for item in value.split(",")] if many and isinstance(value, str) else value
        CompiledSchema(lambda: members(schema)).find(given, f"headers.{name}", mode, findings)

    def _warn_of_unknown(self, name: str, lower: str, findings: Findings) -> None:
        near = closest(lower, [*self.declared, BETA, "openai-organization", "openai-project"])
        if near and lower not in near:
            warning = Fault(f"headers.{name}", "unknown header", "it is sent as it is", did_you_mean(near))
            findings.warnings.append(warning)


def _format_value(value: JSON) -> str:
    if isinstance(value, list | tuple):
        return ",".join(str(item) for item in items(value))
    return "" if value is None else str(value)
