"""The SDK's methods as OpenAPI path items, with the definitions that their types need."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import types
import typing
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from tools.sdk.methods import Method
from tools.sdk.names import definition_names, name_of, pascal
from tools.sdk.schemas import BINARY, PREFIX, Schema, Translator, any_of, bare, fields_of, is_union

PAGES = {"SyncCursorPage": "cursor", "SyncConversationCursorPage": "cursor", "SyncNextCursorPage": "next"}
PAGES |= {"SyncTokenPage": "page"}
AGENT_ENDS = ["agent.session.idle", "agent.session.failed"]
"""The session events that end a turn's stream; an idle event may also come first, before the turn begins."""

MENDED = {"POST /evals/{eval_id}/runs/{run_id}/cancel": "POST /evals/{eval_id}/runs/{run_id}"}
"""Operations that the document has at a path which does not work."""


def sdk_unions(package: Any) -> dict[Any, tuple[str, str]]:
    """The SDK's named unions with their homes; at run time a union does not know its own name."""
    unions: dict[Any, tuple[str, str]] = {}
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        module = importlib.import_module(found.name)
        for name, value in sorted(vars(module).items()):
            if is_union(union := bare(value)) and name.lower() == found.name.rpartition(".")[2].replace("_", ""):
                unions.setdefault(union, (found.name, name))
    return unions


def _home(kind: Any, unions: Mapping[Any, tuple[str, str]]) -> tuple[str, str]:
    return unions[kind] if is_union(kind) else (kind.__module__, kind.__name__)


class Translation:
    """Methods as path items; the definitions that they refer to gather in `definitions`."""

    def __init__(self, package: Any, taken: Collection[str]) -> None:
        self._unions = sdk_unions(package)
        self._taken = taken
        self._names: dict[Any, str] = {}
        self._homes: dict[Any, tuple[str, str]] = {}
        self._translator = Translator(self._name, self._unions)

    def _name(self, kind: Any) -> str:
        home = self._homes[kind] = _home(kind, self._unions)
        return self._names.get(kind, ".".join(home))

    def learn(self, alone: Iterable[Method], shared: Iterable[Method]) -> None:
        """Translate all these methods: once to find out which types are met, and once more under their names."""
        alone, shared = list(alone), list(shared)
        self._translate(alone, shared)
        self._names = definition_names(self._homes, self._taken)
        self._translator = Translator(self._name, self._unions)
        self._translate(alone, shared)

    def _translate(self, alone: list[Method], shared: list[Method]) -> None:
        for method in alone:
            self.operation(method)
        for method in shared:
            self.payload(method)
            list(self.parameters(method))

    @property
    def definitions(self) -> dict[str, Schema]:
        """Everything that a translation so far has referred to."""
        return self._translator.definitions

    def paths(self, methods: Iterable[Method]) -> dict[str, Any]:
        """The path items of these methods."""
        found: dict[str, Any] = {}
        for method in sorted(methods, key=lambda m: (m.path, m.http)):
            found.setdefault(method.path, {})[method.http.lower()] = self.operation(method)
        return found

    def operation(self, method: Method) -> dict[str, Any]:
        """One method as an OpenAPI operation with our extensions."""
        name = name_of(method.http, method.path, method.name.rpartition(".")[2])
        responses, facts = self._answer(method)
        said = {
            "operationId": method.name,
            "x-sdk": method.name,
            "x-entity": name.entity,
            "x-action": name.action,
            "x-verb": name.verb,
            "x-on": name.on,
            "x-beta": method.beta,
            "x-key": "admin" if method.admin else None,
            "x-replaces": MENDED.get(method.operation),
            **facts,
            "parameters": [*self.parameters(method)],
            "requestBody": self.body(method),
            "responses": responses,
        }
        return {key: value for key, value in said.items() if value}

    def parameters(self, method: Method) -> Iterator[dict[str, Any]]:
        """Path, header and query parameters, under their wire names."""
        for name in method.path_names:
            yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for wire, argument in method.headers.items():
            yield {"name": wire, "in": "header", "schema": self._argument(method, argument)}
        if method.query_types:
            kinds = opened(method.query_types)
            query = merged([self._translator.object(kind, lambda name: name in method.query) for kind in kinds])
            for wire, schema in query["properties"].items():
                must = {"required": True} if wire in query.get("required", ()) else {}
                yield {"name": wire, "in": "query", **must, "schema": schema}

    def _argument(self, method: Method, argument: str) -> Schema:
        for kind in opened((*method.payload_types, *method.query_types)):
            if argument in (fields := fields_of(kind)):
                return self._translator.schema(fields[argument][0])
        annotation = method.parameters[argument]
        members = typing.get_args(evaluate(annotation, method.module)) if annotation else ()
        return any_of([self._translator.schema(m) for m in members if getattr(m, "__name__", "") != "Omit"])

    def payload(self, method: Method) -> Schema:
        """What a method sends as its payload: one schema for its type, or for all the types it may send it as."""
        elsewhere = {*method.query, *method.headers.values(), *method.path_names}
        kinds = opened(method.payload_types)
        shapes = [self._translator.object(k, lambda name: name not in elsewhere) for k in kinds]
        return merged(shapes) if any(k.__name__.endswith("Streaming") for k in kinds) else any_of(shapes)

    def body(self, method: Method) -> dict[str, Any]:
        if not method.payload_types:
            return {}
        schema = self.payload(method)
        name = self._definition(pascal(method.name.replace(".", "_")) + "Payload", schema)
        kind = "multipart/form-data" if method.multipart else "application/json"
        must = {"required": True} if "required" in schema or "anyOf" in schema else {}
        return {**must, "content": {kind: {"schema": {"$ref": PREFIX + name}}}}

    def _definition(self, name: str, schema: Schema) -> str:
        name = re.sub(r"^(AdminOrganization|Beta)", "", name)
        name = f"Sdk{name}" if name in self._taken else name
        self._translator.definitions[name] = schema
        return name

    def _answer(self, method: Method) -> tuple[dict[str, Any], dict[str, Any]]:
        """The responses, and what the answer's type says besides: how it is paged, where it streams, what ends it."""
        members = _members(evaluate(method.answers, method.module))
        content: dict[str, Any] = {}
        facts: dict[str, Any] = {}
        for member in members:
            origin = typing.get_origin(member) or member
            if member in (None, type(None)):
                continue
            if getattr(origin, "__name__", "") == "HttpxBinaryResponseContent":
                content["application/octet-stream"] = {"schema": dict(BINARY)}
            elif _event_type(member) is not None:
                content["text/event-stream"] = {"schema": self._translator.schema(_event_type(member))}
                facts["x-ends"] = AGENT_ENDS if "/agents/" in method.path else ["[DONE]"]
            else:
                content["application/json"] = {"schema": self._json(method, member)}
        if len(content) > 1:
            facts["x-stream"] = "payload" if "stream" in (method.payload or ()) else "query"
        if pages := self._pages(method, members[0]):
            facts["x-pages"] = pages
        return ({"200": {"content": content}} if content else {"204": {}}), facts

    def _pages(self, method: Method, answer: Any) -> str | None:
        named = PAGES.get(getattr(generic(answer)[0], "__name__", ""))
        by_token = "page" in method.query and "next_page" in getattr(answer, "model_fields", {})
        return named or ("page" if by_token else None)

    def _json(self, method: Method, answer: Any) -> Schema:
        origin, arguments = generic(answer)
        if not arguments:
            return self._translator.schema(answer)
        shape = self._translator.object(origin)
        shape["properties"]["data"] = {"type": "array", "items": self._translator.schema(arguments[0])}
        shape["required"] = ["data"]
        inner = next(n for n in ast.walk(method.answers or ast.Constant(None)) if isinstance(n, ast.Subscript)).slice
        return {"$ref": PREFIX + self._definition(f"{ast.unparse(inner).rpartition('.')[2]}Page", shape)}


def opened(kinds: Iterable[Any]) -> list[Any]:
    """Types with the unions among them replaced by their members."""
    return [member for kind in kinds for member in (typing.get_args(kind) if is_union(kind) else (kind,))]


def generic(answer: Any) -> tuple[Any, tuple[Any, ...]]:
    """A page class and its parameters; pydantic keeps them in a place of its own."""
    said = getattr(answer, "__pydantic_generic_metadata__", None) or {}
    return said.get("origin") or answer, tuple(said.get("args") or ())


def evaluate(annotation: ast.expr | None, module: Any) -> Any:
    """What an annotation of the SDK's own source means in its module, `list` and the like being the types."""
    builtin = {"list": list, "object": object, "dict": dict}
    return eval(ast.unparse(annotation), {**vars(module), **builtin}) if annotation else None


def _members(answer: Any) -> list[Any]:
    return list(typing.get_args(answer)) if isinstance(answer, types.UnionType) or is_union(answer) else [answer]


def _event_type(answer: Any) -> Any:
    """The type of a stream's events: the parameter of `Stream`, also when a subclass has filled it in."""
    origin = typing.get_origin(answer) or answer
    bases = [answer, *getattr(origin, "__orig_bases__", ())]
    return next((typing.get_args(b)[0] for b in bases if _is_stream(b) and typing.get_args(b)), None)


def _is_stream(kind: Any) -> bool:
    return getattr(typing.get_origin(kind), "__name__", "") == "Stream"


def merged(shapes: list[Schema]) -> Schema:
    """One object that allows what any of these allows: a payload that is typed once streaming and once not."""
    properties: dict[str, Schema] = {}
    for shape in shapes:
        for name, schema in shape["properties"].items():
            properties[name] = any_of([properties[name], schema]) if name in properties else schema
    if "stream" in properties:
        nullable = "null" in str(properties["stream"])
        properties["stream"] = {"type": ["boolean", "null"]} if nullable else {"type": "boolean"}
    required = [n for n in shapes[0].get("required", ()) if all(n in s.get("required", ()) for s in shapes)]
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}
