"""Templates: JSON values with placeholders, compiled once, resolved for each document in one pass."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

from connector.model import JSON, JSONInput, JSONValue, is_document, is_list
from connector.suggestions import closest, did_you_mean
from connector.transform.context import Context, Scope
from connector.transform.errors import ChainFault, InvalidChain, KeyPath, Unfit, format_key_path
from connector.transform.expression import compile_jmespath
from connector.transform.paths import MISSING, parse_path, path_getter
from connector.transform.placeholders import Placeholder, has_placeholder, scan, to_text

__all__ = ["Origin", "Resolve", "Template", "compile_template", "read_template"]

Resolve = Callable[[JSON, Scope], JSON]
Root = Literal["variables", "task", "route", "parameters", "now"]
Kind = Literal["constant", "document", "text"] | Root
PLAIN = re.compile(r"[@$]?\w[\w-]*(?:\.[@$]?\w[\w-]*)*")
ROOTS: tuple[Root, ...] = ("variables", "task", "route", "parameters", "now")
IDLE = Scope(Context())
"""The scope in which constants are resolved."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of one leaf of a resolved template."""

    place: KeyPath
    """Below the template; the value of a placeholder may have members of its own."""
    kind: Kind
    written: str
    """The placeholder or the text with placeholders as it was written; the constant's text for a constant."""
    names: tuple[str, ...] = ()
    """The bodies of its placeholders."""


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled template."""

    resolve: Callable[[JSONValue, Scope], JSONValue]
    origins: tuple[Origin, ...]
    constant: bool
    """Whether it is the same for every document."""
    value: JSONValue
    """The template as it is written; for a constant, the resolved value."""

    def __call__(self, document: JSONValue, scope: Scope) -> JSONValue:
        return self.resolve(document, scope)


def compile_template(value: JSONInput, *, where: str = "template", parameters: Collection[str] | None = ()) -> Template:
    """Compile a JSON value; raise InvalidChain with every placeholder that cannot work.

    Args:
        where: the name of the template in messages.
        parameters: the names that `@{parameters.…}` may use; None allows any.
    """
    faults: list[ChainFault] = []
    template = read_template(value, (where,), parameters, faults)
    if faults:
        raise InvalidChain(faults)
    return template


def read_template(value: JSON, path: KeyPath, parameters: Collection[str] | None, faults: list[ChainFault]) -> Template:
    """Compile a JSON value; faults are added to the list."""
    reader = _TemplateCompiler(len(path), parameters, faults)
    resolve = reader.read(value, path)
    literal = resolve(None, IDLE) if reader.constant and not faults else value
    return Template(resolve, tuple(reader.origins), reader.constant, literal)


class _TemplateCompiler:
    """Compiles one template, collecting origins and faults."""

    def __init__(self, depth: int, parameters: Collection[str] | None, faults: list[ChainFault]) -> None:
        self.constant = True
        self.origins: list[Origin] = []
        self._depth = depth
        self._parameters = parameters
        self._faults = faults

    def read(self, value: JSON, path: KeyPath) -> Resolve:
        if isinstance(value, str):
            return self._text(value, path)
        if is_document(value):
            return self._members([(key, self.read(item, (*path, key))) for key, item in value.items()], value, path)
        if is_list(value):
            return self._items([self.read(item, (*path, index)) for index, item in enumerate(value)], value, path)
        return self._literal(value, path)

    def _literal(self, value: JSON, path: KeyPath) -> Resolve:
        self.origins.append(Origin(path[self._depth :], "constant", to_text(value)))
        return lambda _document, _scope: value

    def _members(self, members: list[tuple[str, Resolve]], value: JSON, path: KeyPath) -> Resolve:
        if not members:
            self._literal(value, path)
            return lambda _document, _scope: {}
        return lambda document, scope: {key: resolve(document, scope) for key, resolve in members}

    def _items(self, items: list[Resolve], value: JSON, path: KeyPath) -> Resolve:
        if not items:
            self._literal(value, path)
            return lambda _document, _scope: []
        return lambda document, scope: [resolve(document, scope) for resolve in items]

    def _text(self, text: str, path: KeyPath) -> Resolve:
        if not has_placeholder(text):
            return self._literal(text, path)
        try:
            parts = list(scan(text))
            resolves = [self._placeholder(part, path) if isinstance(part, Placeholder) else part for part in parts]
        except Unfit as error:
            self._faults.append(ChainFault(format_key_path(path), str(error), "see placeholders", place=path))
            return lambda _document, _scope: None
        holders = [part for part in parts if isinstance(part, Placeholder)]
        if not holders:
            return self._literal("".join(str(part) for part in parts), path)
        self.constant = False
        kind = _kind_of(holders[0]) if len(parts) == 1 else "text"
        self.origins.append(Origin(path[self._depth :], kind, text, tuple(holder.body for holder in holders)))
        return resolves[0] if len(parts) == 1 and callable(resolves[0]) else _join(resolves)

    def _placeholder(self, holder: Placeholder, path: KeyPath) -> Resolve:
        where = f"{format_key_path(path[max(self._depth - 1, 0) :])}: "
        if holder.sign == "@":
            return self._name(holder, where)
        find = _document_getter(holder.body)
        return _get_or_null(find) if holder.sign == "?" else _get_or_fail(find, holder, where)

    def _name(self, holder: Placeholder, where: str) -> Resolve:
        root, _, rest = holder.body.partition(".")
        if root not in ROOTS:
            known = ", ".join(f"@{{{name}.…}}" for name in ROOTS[:-1])
            hint = did_you_mean(closest(root, ROOTS))
            raise Unfit(f"{holder} names nothing; there are {known} and @{{now}}{'; ' + hint if hint else ''}")
        keys = parse_path(rest)
        if root == "now":
            if keys:
                raise Unfit(f"{holder}: now has no parts; map it with format-date")
            return lambda _document, scope: scope.context.now().isoformat()
        if not keys:
            return lambda _document, scope: dict(_root_value(scope, root))
        if root == "parameters":
            self._check_parameter(holder, keys[0])
        walk = path_getter(keys)
        return _get_name(root, walk, holder, where)

    def _check_parameter(self, holder: Placeholder, name: str) -> None:
        if self._parameters is not None and name not in self._parameters:
            known = f"there are {', '.join(self._parameters)}" if self._parameters else "this chain declares none"
            hint = did_you_mean(closest(name, self._parameters))
            raise Unfit(f"{holder}: no such parameter; {known}{'; ' + hint if hint else ''}")


def _kind_of(holder: Placeholder) -> Kind:
    if holder.sign != "@":
        return "document"
    return next(name for name in ROOTS if holder.body.partition(".")[0] == name)


def _root_value(scope: Scope, root: str) -> JSON:
    return scope.parameters if root == "parameters" else getattr(scope.context, root)


def _get_name(root: str, walk: Callable[[JSON], JSON], holder: Placeholder, where: str) -> Resolve:
    def find(_: JSON, scope: Scope) -> JSON:
        found = walk(_root_value(scope, root))
        if found is not MISSING:
            return found
        if scope.context.missing == "empty":
            return None
        raise Unfit(f"{where}{holder} is not set")

    return find


def _document_getter(body: str) -> Callable[[JSON], JSON]:
    """Return a function from a document to the value of `&{…}` or `?{…}`, or MISSING."""
    if body == "@":
        return lambda document: document
    if PLAIN.fullmatch(body):
        return path_getter(parse_path(body))
    if not body:
        raise Unfit("an empty placeholder; write a path or a JMESPath expression between the braces")
    search = compile_jmespath(body)

    def find(document: JSON) -> JSON:
        found = search(document)
        return MISSING if found is None else found

    return find


def _get_or_null(find: Callable[[JSON], JSON]) -> Resolve:
    def resolve(document: JSON, _: Scope) -> JSON:
        found = find(document)
        return None if found is MISSING else found

    return resolve


def _get_or_fail(find: Callable[[JSON], JSON], holder: Placeholder, where: str) -> Resolve:
    def resolve(document: JSON, scope: Scope) -> JSON:
        found = find(document)
        if found is not MISSING:
            return found
        if scope.context.missing == "empty":
            return None
        raise Unfit(f"{where}nothing at {holder} in the document; write ?{{{holder.body}}} if it may be missing")

    return resolve


def _join(parts: list[str | Resolve]) -> Resolve:
    def join(document: JSON, scope: Scope) -> str:
        return "".join([part if isinstance(part, str) else to_text(part(document, scope)) for part in parts])

    return join
