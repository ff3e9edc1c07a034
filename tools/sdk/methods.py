"""What the official SDK's resource methods say about the calls they make.

A method's signature gives the answer's type; where its parameters go (path, query, header, payload) is only said by
the call it makes, so that call is read from the syntax tree. Nothing is called and no request is made.
"""

from __future__ import annotations

import ast
import functools
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

CALLS = {"_get": "GET", "_get_api_list": "GET", "_post": "POST", "_delete": "DELETE", "_put": "PUT", "_patch": "PATCH"}
HELPERS = re.compile(r"parse|stream|.*_and_(poll|stream)|poll|wait.*|upload.*")


@dataclass(frozen=True, slots=True)
class Method:
    """One method of the SDK and the call it makes."""

    name: str
    http: str
    path: str
    module: Any
    answers: ast.expr | None
    parameters: dict[str, ast.expr | None] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    query_types: tuple[Any, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    payload: tuple[str, ...] | None = None
    payload_types: tuple[Any, ...] = ()
    multipart: bool = False
    beta: str | None = None
    admin: bool = False

    @property
    def operation(self) -> str:
        return f"{self.http} {self.path}"

    @property
    def path_names(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.path)


def methods(client: Any) -> Iterator[Method]:
    """Every method that makes a call, over all resources of a client, plain methods before helpers."""
    found = [m for name, resource in resources(client) for base in _own(resource) for m in methods_of(name, base)]
    yield from sorted(found, key=lambda m: (bool(HELPERS.fullmatch(m.name.rpartition(".")[2])), m.name.count(".")))


def _own(resource: Any) -> list[type]:
    """The classes that give a resource its methods, without the machinery below them."""
    return [base for base in type(resource).__mro__ if ".resources." in base.__module__]


def resources(owner: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The resources below a client or resource, with their dotted names."""
    for name, attribute in sorted(inspect.getmembers_static(type(owner))):
        if isinstance(attribute, functools.cached_property) and not name.startswith("with_"):
            resource = getattr(owner, name)
            yield f"{prefix}{name}", resource
            yield from resources(resource, f"{prefix}{name}.")


def methods_of(prefix: str, resource: type) -> Iterator[Method]:
    """The methods of one resource class, from its module's source; of overloads the last counts, as in Python."""
    module = sys.modules[resource.__module__]
    tree = ast.parse(inspect.getsource(module))
    body = next(n.body for n in tree.body if isinstance(n, ast.ClassDef) and n.name == resource.__name__)
    functions = {n.name: n for n in body if isinstance(n, ast.FunctionDef)}
    for name, function in functions.items():
        call = next((n for n in ast.walk(function) if _is_request(n)), None)
        if call is not None:
            yield _method(f"{prefix}.{name}", function, call, module)


def _is_request(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CALLS
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "self"
        and bool(node.args)
    )


def _method(name: str, function: ast.FunctionDef, call: Any, module: Any) -> Method:
    given = {k.arg: k.value for k in call.keywords}
    options = {k.arg: k.value for k in getattr(given.get("options"), "keywords", ())}
    query, query_types = _transformed(options.get("query"), function, module)
    payload, payload_types = _transformed(given.get("body"), function, module)
    headers = dict(_headers(function))
    http = given["method"].value.upper() if "method" in given else CALLS[call.func.attr]
    arguments = [*function.args.args, *function.args.kwonlyargs]
    return Method(
        name=name,
        http=http,
        path=_path(call.args[0]),
        module=module,
        answers=function.returns,
        parameters={a.arg: a.annotation for a in arguments},
        query=query or {},
        query_types=query_types,
        headers={wire: argument for wire, argument in headers.items() if argument},
        payload=None if given.get("body") is None else tuple(payload or ()),
        payload_types=payload_types,
        multipart="files" in given,
        beta=_constant(function, "OpenAI-Beta"),
        admin="admin_api_key_auth" in ast.unparse(options.get("security", ast.Constant(""))),
    )


def _path(node: ast.expr) -> str:
    constant = node.args[0] if isinstance(node, ast.Call) else node
    return str(getattr(constant, "value", ""))


def _transformed(node: Any, function: ast.FunctionDef, module: Any) -> tuple[dict[str, str] | None, tuple[Any, ...]]:
    """The names that `maybe_transform(names, type)` sends, and the types it sends them as."""
    if node is None:
        return None, ()
    names = next((n for n in ast.walk(node) if isinstance(n, ast.Dict)), None) or _assigned(function)
    kinds = [n for n in ast.walk(node) if _is_params(n)] or [n for n in ast.walk(function) if _is_params(n)]
    shown = {str(k.value): ast.unparse(v) for k, v in _pairs(names) if isinstance(k, ast.Constant)}
    found = [getattr(getattr(module, n.value.id), n.attr) for n in kinds]  # type: ignore[attr-defined] # see _is_params
    return shown, tuple(dict.fromkeys(found))


def _pairs(node: Any) -> Iterator[tuple[Any, Any]]:
    """The keys and values of a dictionary in the source; nothing for any other node."""
    yield from zip(getattr(node, "keys", ()), getattr(node, "values", ()), strict=False)


def _assigned(function: ast.FunctionDef) -> ast.Dict:
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


def _headers(function: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    """Headers that carry an argument, as wire name and argument name."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "strip_not_given":
            for key, value in _pairs(node.args[0]):
                names = {a.arg for a in function.args.kwonlyargs}
                used = [n.id for n in ast.walk(value) if isinstance(n, ast.Name) and n.id in names]
                yield key.value, used[0] if used else ""


def _constant(function: ast.FunctionDef, name: str) -> str | None:
    """The constant that a header always has, if any."""
    for node in ast.walk(function):
        for key, value in _pairs(node):
            if isinstance(key, ast.Constant) and key.value == name and isinstance(value, ast.Constant):
                return str(value.value)
    return None
