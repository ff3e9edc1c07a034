"""What the SDK's resource methods say about the calls they make.

A method's signature gives the answer's type; where its parameters go (path, query, header, payload) is only said by
the call it makes, so that call is read from the syntax tree. Nothing is called and no request is made.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from connector.catalogue.importer.sdk.annotations import Annotations
from connector.catalogue.importer.sdk.modules import Module
from connector.catalogue.importer.sdk.type_values import Named, Plain, Type, Unknown

__all__ = ["MISREAD", "Method", "methods", "methods_of"]

CALLS = {"_get": "GET", "_get_api_list": "GET", "_post": "POST", "_delete": "DELETE", "_put": "PUT", "_patch": "PATCH"}
DEEPEST = 8
MISREAD = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What code in a form of its own raises: one method is left out then, and noted, rather than the release refused."""
HELPERS = re.compile(r"parse|stream|.*_and_(poll|stream)|poll|wait.*|upload.*")
CLIENT = Named("openai._client", "OpenAI")
RESOURCES = ".resources."


@dataclass(frozen=True, slots=True)
class Method:
    """One method of the SDK and the call it makes."""

    name: str
    http: str
    path: str
    module: Module
    answers: ast.expr | None
    parameters: dict[str, ast.expr | None] = field(default_factory=dict[str, "ast.expr | None"])
    query: dict[str, str] = field(default_factory=dict[str, str])
    query_types: tuple[Type, ...] = ()
    headers: dict[str, str] = field(default_factory=dict[str, str])
    payload: tuple[str, ...] | None = None
    payload_types: tuple[Type, ...] = ()
    multipart: bool = False
    beta: str | None = None
    admin: bool = False
    unknown_types: tuple[str, ...] = ()
    """Types of its query or payload that the release names and does not have."""

    @property
    def operation(self) -> str:
        return f"{self.http} {self.path}"

    @property
    def path_names(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.path)


def methods(annotations: Annotations, notes: list[str]) -> Iterator[Method]:
    """Yield every method that makes a call, over all resources of the client, plain methods before helpers."""
    found = [
        method
        for name, resource in _list_resources(annotations, CLIENT, notes)
        for base in dict.fromkeys(annotations.line(resource))
        if RESOURCES in base.module
        for method in methods_of(annotations, name, base, notes)
    ]
    yield from sorted(found, key=lambda m: (bool(HELPERS.fullmatch(m.name.rpartition(".")[2])), m.name.count(".")))


def _list_resources(
    annotations: Annotations, owner: Named, notes: list[str], prefix: str = "", depth: int = 0
) -> Iterator[tuple[str, Named]]:
    """Yield the resources below a client or resource, with their dotted names."""
    properties = {
        name: (kind, base)
        for base in reversed(list(annotations.line(owner)))
        for name, kind in _list_properties(annotations, base)
    }
    for name, (kind, base) in sorted(properties.items()):
        if name.startswith("with_") or depth > DEEPEST:
            continue
        module = annotations.package.module(base.module)
        resource = annotations.read(kind, module) if module else None
        if isinstance(resource, Named) and RESOURCES in resource.module and annotations.definition(resource):
            yield f"{prefix}{name}", resource
            yield from _list_resources(annotations, resource, notes, f"{prefix}{name}.", depth + 1)
        else:
            notes.append(f"{prefix}{name}: no resource that can be read")


def _list_properties(annotations: Annotations, kind: Named) -> Iterator[tuple[str, ast.expr | None]]:
    """Yield the properties of a class that may be resources, and the attributes that older releases had for them."""
    for node in _list_statements(annotations, kind):
        if isinstance(node, ast.FunctionDef):
            if any(ast.unparse(each).endswith("cached_property") for each in node.decorator_list):
                yield node.name, node.returns
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            module = annotations.package.module(kind.module)
            found = annotations.read(node.annotation, module) if module else None
            if isinstance(found, Named) and RESOURCES in found.module:
                yield node.target.id, node.annotation


def _list_functions(annotations: Annotations, kind: Named) -> list[ast.FunctionDef]:
    return [node for node in _list_statements(annotations, kind) if isinstance(node, ast.FunctionDef)]


def _list_statements(annotations: Annotations, kind: Named) -> Sequence[ast.stmt]:
    found = annotations.definition(kind)
    return found.node.body if found and isinstance(found.node, ast.ClassDef) else ()


def methods_of(annotations: Annotations, prefix: str, resource: Named, notes: list[str]) -> Iterator[Method]:
    """Yield the methods of one resource class; of overloads the last counts, as in Python."""
    module = annotations.package.module(resource.module)
    functions = {node.name: node for node in _list_functions(annotations, resource)}
    for name, function in functions.items() if module else ():
        call = next((node for node in ast.walk(function) if _is_request(node)), None)
        if call is None or module is None:
            continue
        try:
            method = _read_method(f"{prefix}.{name}", function, call, module, annotations)
        except MISREAD as error:
            notes.append(f"{prefix}.{name}: its call cannot be read ({type(error).__name__}: {error})")
            continue
        if not method.path.startswith("/"):
            notes.append(f"{prefix}.{name}: the path of its call cannot be read")
            continue
        if method.unknown_types:
            notes.append(f"{prefix}.{name}: not in this release: {', '.join(method.unknown_types)}")
        yield method


def _is_request(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CALLS
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "self"
        and bool(node.args)
    )


def _read_method(name: str, function: ast.FunctionDef, call: Any, module: Module, annotations: Annotations) -> Method:
    given = {k.arg: k.value for k in call.keywords}
    options = {k.arg: k.value for k in getattr(given.get("options"), "keywords", ())}
    query, of_query = _read_sent(options.get("query"), function, module, annotations)
    payload, of_payload = _read_sent(given.get("body"), function, module, annotations)
    headers = dict(_list_headers(function))
    http = str(given["method"].value).upper() if "method" in given else CALLS[call.func.attr]
    arguments = [*function.args.args, *function.args.kwonlyargs]
    return Method(
        name=name,
        http=http,
        path=_read_path(call.args[0]),
        module=module,
        answers=function.returns,
        parameters={a.arg: a.annotation for a in arguments},
        query=query or {},
        query_types=_known_types(of_query),
        headers={wire: argument for wire, argument in headers.items() if argument},
        payload=None if given.get("body") is None else tuple(payload or ()),
        payload_types=_known_types(of_payload),
        multipart="files" in given,
        beta=_find_constant(function, "OpenAI-Beta"),
        admin="admin_api_key_auth" in ast.unparse(options.get("security", ast.Constant(""))),
        unknown_types=tuple(dict.fromkeys(_list_missing((*of_query, *of_payload)))),
    )


def _known_types(kinds: tuple[Type, ...]) -> tuple[Type, ...]:
    return tuple(kind for kind in kinds if not isinstance(kind, Unknown | Plain))


def _list_missing(kinds: tuple[Type, ...]) -> Iterator[str]:
    """Yield the types that the call names and no module of the release defines."""
    for kind in kinds:
        if isinstance(kind, Unknown | Plain):
            yield kind.text if isinstance(kind, Unknown) else kind.name


def _read_path(node: ast.expr) -> str:
    """Return the path that a call names: a text, `path_template(text, …)`, or an f-string; "" when it is none."""
    given = next(iter(node.args), None) if isinstance(node, ast.Call) else node
    if isinstance(given, ast.JoinedStr):
        parts = [_read_part(part) for part in given.values]
        return "".join(parts) if all(parts) else ""
    return str(getattr(given, "value", ""))


def _read_part(node: ast.expr) -> str:
    """Return a part of an f-string as a path template spells it; "" when it is more than a name."""
    if isinstance(node, ast.FormattedValue):
        return f"{{{node.value.id}}}" if isinstance(node.value, ast.Name) else ""
    return str(getattr(node, "value", ""))


def _read_sent(
    node: Any, function: ast.FunctionDef, module: Module, annotations: Annotations
) -> tuple[dict[str, str] | None, tuple[Type, ...]]:
    """Return the names that `maybe_transform(names, type)` sends, and the types it sends them as."""
    if node is None:
        return None, ()
    names = next((n for n in ast.walk(node) if isinstance(n, ast.Dict)), None) or _find_payload(function)
    kinds = [n for n in ast.walk(node) if _is_params(n)] or [n for n in ast.walk(function) if _is_params(n)]
    shown = {str(k.value): ast.unparse(v) for k, v in _iterate_pairs(names) if isinstance(k, ast.Constant)}
    found = [annotations.read(kind, module) for kind in kinds if isinstance(kind, ast.expr)]
    return shown, tuple(dict.fromkeys(found))


def _iterate_pairs(node: Any) -> Iterator[tuple[Any, Any]]:
    """The keys and values of a dictionary in the source; nothing for any other node."""
    yield from zip(getattr(node, "keys", ()), getattr(node, "values", ()), strict=False)


def _find_payload(function: ast.FunctionDef) -> ast.Dict:
    """The largest dictionary in the function that names parameters: a payload made ready before the call."""
    own = [n for n in ast.walk(function) if isinstance(n, ast.Dict) and None not in n.keys]
    return max(own, key=lambda n: len(n.keys), default=ast.Dict([], []))


def _is_params(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id.endswith("_params")
        and "Params" in node.attr
    )


def _list_headers(function: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    """Headers that carry an argument, as wire name and argument name."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "strip_not_given":
            for key, value in _iterate_pairs(node.args[0]):
                names = {a.arg for a in function.args.kwonlyargs}
                used = [n.id for n in ast.walk(value) if isinstance(n, ast.Name) and n.id in names]
                yield key.value, used[0] if used else ""


def _find_constant(function: ast.FunctionDef, name: str) -> str | None:
    """The constant that a header always has, if any."""
    for node in ast.walk(function):
        for key, value in _iterate_pairs(node):
            if isinstance(key, ast.Constant) and key.value == name and isinstance(value, ast.Constant):
                return str(value.value)
    return None
