"""Calls of any path, known to the catalogue or not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, urlencode

from connector.documents import check, dump
from connector.errors import InvalidDocument
from connector.model import Effect, Fault, InvalidRequest, is_list
from connector.request.body import JSON_TYPE, report_invalid_json
from connector.request.file_access import ANYWHERE, Roots
from connector.request.headers import Headers
from connector.request.multipart import MultipartBody, Part, build_parts
from connector.request.path import is_traversal, unescape
from connector.request.plan import find_constant_headers, find_plain_kind
from connector.request.query import flatten
from connector.request.validation import Findings, Validate
from connector.request.wire import Body, BytesBody, Wire

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connector.catalogue import Catalogue
    from connector.catalogue.operation import Operation
    from connector.model import JSON

__all__ = ["prepare_raw"]

METHODS = ("GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS")
EFFECTS = {"GET": Effect.NONE, "HEAD": Effect.NONE, "OPTIONS": Effect.NONE, "DELETE": Effect.IDEMPOTENT}
ANSWERS = ("json", "text", "binary", "events", "empty")
ACCEPTED = {"json": "application/json", "events": "text/event-stream"}
SAFE = "%/!$&'()*+,;=:@"
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def prepare_raw(
    method: str,
    path: str,
    *,
    query: Mapping[str, JSON] | None = None,
    headers: Mapping[str, JSON] | None = None,
    json: JSON = None,
    data: str | bytes | Mapping[str, JSON] | None = None,
    form: Mapping[str, JSON] | None = None,
    files: Mapping[str, JSON] | None = None,
    brackets: bool = True,
    answer: str | None = None,
    catalogue: Catalogue | None = None,
    base_path: str = "",
    roots: Roots = ANYWHERE,
) -> Wire:
    """Return the call of a path as it is given, checked only for what must never go out.

    Args:
        method: any HTTP method.
        path: a path with a leading slash, percent-encoded or not, with its query if any.
        query: more of the query, encoded with brackets.
        headers: the caller's own.
        json: a JSON body.
        data: a body as it is, or an object that becomes a URL-encoded form.
        form: fields and files of a multipart form.
        files: more files of that form.
        brackets: whether the fields of a list have brackets behind their name; else each has the name as it is.
        answer: json, text, binary, events or empty; by default what the catalogue says, else json.
        catalogue: knows the effect, the key and the beta header of paths it declares.
        base_path: the path of the client's base URI, which the path may repeat.
        roots: folders and URL prefixes that files may come from.
    """
    findings = Findings()
    method = _check_method(method, findings)
    plain, pairs = _split_path(path, base_path, findings)
    pairs += _build_pairs(query or {}, findings)
    operation = None if findings.faults else _find_operation(catalogue, method, plain, pairs)
    constant = find_constant_headers(operation) if operation else {}
    resolved = Headers(operation, constant).resolve(headers or {}, Validate.OFF, findings)
    forms = _make_forms({**(form or {}), **(files or {})}, brackets=brackets)
    body = _build_body({"json": json, "data": data, "form": forms}, resolved, roots, findings)
    kind = _check_answer(answer, findings) or (find_plain_kind(operation) if operation else "json")
    if findings.faults:
        raise InvalidRequest(f"{method} {path[:120]!r}", findings.faults)
    return Wire(
        method=method,
        path=plain,
        query=tuple(pairs),
        headers=_complete_headers(resolved, body, method, kind),
        body=body,
        operation=operation,
        effect=operation.effect if operation else EFFECTS.get(method, Effect.OPAQUE),
        answer=kind,
    )


def _find_operation(
    catalogue: Catalogue | None, method: str, path: str, pairs: list[tuple[str, str]]
) -> Operation | None:
    match = catalogue.match(method, _join_query(path, pairs)) if catalogue else None
    return match[0] if match else None


def _make_forms(fields: dict[str, JSON], *, brackets: bool) -> list[dict[str, JSON]] | None:
    """Return the forms that make one body, whose fields go out in this order; None without a field."""
    if not fields:
        return None
    return [_strip_brackets(fields)] if brackets else _split_fields(fields)


def _strip_brackets(form: dict[str, JSON]) -> dict[str, JSON]:
    """Return a form whose lists have plain names: the brackets of `image[]` are written when it is encoded."""
    return {name.removesuffix("[]") if is_list(value) else name: value for name, value in form.items()}


def _split_fields(form: dict[str, JSON]) -> list[dict[str, JSON]]:
    """Return forms of one field each, for names that are sent as they are."""
    return [{name: item} for name, value in form.items() for item in (value if is_list(value) else [value])]


def _check_method(method: str, findings: Findings) -> str:
    if method.upper() not in METHODS:
        findings.faults.append(Fault("method", f"found {method[:20]!r}", f"allowed: {', '.join(METHODS)}"))
    return method.upper()


def _check_answer(answer: str | None, findings: Findings) -> str | None:
    if answer is not None and answer not in ANSWERS:
        findings.faults.append(Fault("answer", f"found {answer[:20]!r}", f"allowed: {', '.join(ANSWERS)}"))
    return answer


def _split_path(path: str, base_path: str, findings: Findings) -> tuple[str, list[tuple[str, str]]]:
    """Return the encoded path relative to the base URI, and the pairs of its query."""
    found = _check_path(path)
    if found:
        findings.faults.append(Fault("path", *found))
        return path, []
    plain, _, query = path.partition("?")
    prefix = base_path.rstrip("/")
    if prefix and (plain == prefix or plain.startswith(prefix + "/")):
        plain = plain[len(prefix) :] or "/"
    # Escapes stay as they are; a percent sign that begins none is one that was meant.
    encoded = quote(re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", plain), safe=SAFE)
    return encoded, parse_qsl(query, keep_blank_values=True)


def _check_path(path: str) -> tuple[str, str] | None:
    allowed = "a path below the client's address is allowed, such as /models"
    if not path.startswith("/"):
        return ("an absolute URL" if "://" in path else f"found {path[:60]!r}"), allowed
    if path.startswith(("//", "/\\")):
        return "names another host", allowed
    if CONTROL.search(path) or CONTROL.search(unquote(path.partition("?")[0])):
        return "holds a control character", "printable text is allowed"
    try:
        path.encode()
    except UnicodeEncodeError:
        return "holds a lone surrogate", "only text that UTF-8 can hold is allowed"
    if "#" in path:
        return "holds a fragment", "write %23 for a '#' that belongs to the path"
    return _check_segments(path.partition("?")[0])


def _check_segments(path: str) -> tuple[str, str] | None:
    if is_traversal(path):
        return "climbs out of its place", "a path without the segments '.' and '..' is allowed"
    if "\\" in unescape(path):
        return "holds a backslash", "segments are separated by '/'"
    return ("holds an empty segment", "one '/' between segments is allowed") if "//" in path else None


def _build_pairs(query: Mapping[str, JSON], findings: Findings) -> list[tuple[str, str]]:
    try:
        check(dict(query), "query")
    except InvalidDocument as error:
        findings.faults.append(report_invalid_json(error))
        return []
    return [pair for name, value in query.items() for pair in flatten(name.removesuffix("[]"), value)]


def _join_query(path: str, pairs: list[tuple[str, str]]) -> str:
    return f"{path}?{urlencode(pairs)}" if pairs else path


def _build_body(bodies: dict[str, JSON], headers: dict[str, str], roots: Roots, findings: Findings) -> Body | None:
    given = [name for name, value in bodies.items() if value is not None]
    if len(given) > 1:
        findings.faults.append(Fault("body", f"both {' and '.join(given)}", "one of them is allowed"))
    if len(given) != 1:
        return None
    try:
        if given == ["json"]:
            return BytesBody(headers.get("content-type", JSON_TYPE), dump(bodies["json"], "json"))
        for form in bodies["form"] or ():
            check(form, "form")
    except InvalidDocument as error:
        findings.faults.append(report_invalid_json(error))
        return None
    if given == ["data"]:
        return _encode_data(bodies["data"], headers.get("content-type"))
    parts: list[Part] = []
    for form in bodies["form"] or ():
        found, faults = build_parts(form, {}, roots, "form")
        parts += found
        findings.faults += faults
    return MultipartBody(parts)


def _encode_data(data: JSON, content_type: str | None) -> Body:
    if isinstance(data, str | bytes):
        raw = data.encode(errors="replace") if isinstance(data, str) else data
        return BytesBody(content_type or "application/octet-stream", raw)
    pairs = [pair for name, value in dict(data).items() for pair in flatten(name, value)]
    return BytesBody("application/x-www-form-urlencoded", urlencode(pairs).encode())


def _complete_headers(headers: dict[str, str], body: Body | None, method: str, kind: str) -> dict[str, str]:
    if body is not None:
        headers["content-type"] = body.content_type
    elif method in ("POST", "DELETE"):
        headers.setdefault("content-type", JSON_TYPE)
    headers.setdefault("accept", ACCEPTED.get(kind, "*/*"))
    return headers
