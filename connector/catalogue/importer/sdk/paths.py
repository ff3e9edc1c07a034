"""The SDK's methods as OpenAPI path items, with the definitions that their types need."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from connector.catalogue.importer.sdk.annotations import Annotations
from connector.catalogue.importer.sdk.methods import MISREAD, Method
from connector.catalogue.importer.sdk.names import definition_names, name_of, pascal
from connector.catalogue.importer.sdk.schemas import BINARY, PREFIX, Schema, Translator, any_of
from connector.catalogue.importer.sdk.type_values import NONE, Applied, Choice, Named, Plain, Type, arguments_of, bare

__all__ = ["Translation"]

PAGINATION = "openai.pagination"
AGENT_ENDS = ["agent.session.idle", "agent.session.failed"]
"""The session events that end a turn's stream; an idle event may also come first, before the turn begins."""

MENDED = {"POST /evals/{eval_id}/runs/{run_id}/cancel": "POST /evals/{eval_id}/runs/{run_id}"}
"""Operations that the document has at a path which does not work."""


Home = tuple[str, str]


def _find_unions(annotations: Annotations) -> dict[Type, Home]:
    """Return the SDK's named unions with their homes: those that bear the name of their module."""
    unions: dict[Type, Home] = {}
    for name in annotations.package.names("openai.types"):
        module = annotations.package.module(name)
        for own in sorted(module.symbols) if module else ():
            if module and own.lower() == name.rpartition(".")[2].replace("_", ""):
                union = bare(annotations.named(module, own))
                if isinstance(union, Choice):
                    unions.setdefault(union, (name, own))
    return unions


class Translation:
    """Methods as path items; the definitions that they refer to gather in `definitions`."""

    def __init__(self, annotations: Annotations, taken: Collection[str], notes: list[str]) -> None:
        self._annotations = annotations
        self._unions = _find_unions(annotations)
        self._taken = taken
        self._notes = notes
        self._names: dict[Type, str] = {}
        self._homes: dict[Type, Home] = {}
        self._unreadable: set[str] = set()
        self._translator = self._new_translator()

    def _new_translator(self) -> Translator:
        return Translator(self._annotations, self._name, self._unions, self._notes)

    def _name(self, kind: Type) -> str:
        home = (kind.module, kind.name) if isinstance(kind, Named) else self._unions[kind]
        self._homes[kind] = home
        return self._names.get(kind, ".".join(home))

    def learn(self, alone: Iterable[Method], shared: Iterable[Method]) -> None:
        """Translate all these methods: once to find out which types are met, and once more under their names."""
        alone, shared = list(alone), list(shared)
        self._translate(alone, shared)
        self._names = definition_names(self._homes, self._taken)
        self._translator = self._new_translator()
        self._translate(alone, shared)

    def _translate(self, alone: list[Method], shared: list[Method]) -> None:
        for method in alone:
            self._try(method, lambda method: [self.operation(method)])
        for method in shared:
            self._try(method, lambda method: [self.payload(method), *self.parameters(method)])

    def _try(self, method: Method, translate: Callable[[Method], object]) -> None:
        """Translate a method; one that cannot be is noted and left out from then on."""
        try:
            if self.is_readable(method):
                translate(method)
        except MISREAD as error:
            self._unreadable.add(method.name)
            self._notes.append(f"{method.name}: its types cannot be read ({type(error).__name__}: {error})")

    def is_readable(self, method: Method) -> bool:
        return method.name not in self._unreadable

    @property
    def definitions(self) -> dict[str, Schema]:
        """Everything that a translation so far has referred to."""
        return self._translator.definitions

    def paths(self, methods: Iterable[Method]) -> dict[str, Any]:
        """The path items of these methods."""
        found: dict[str, Any] = {}
        for method in sorted(filter(self.is_readable, methods), key=lambda m: (m.path, m.http)):
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
            kinds = list_classes(method.query_types)
            query = merge_shapes([self._translator.object(kind, lambda name: name in method.query) for kind in kinds])
            for wire, schema in query["properties"].items():
                must = {"required": True} if wire in query.get("required", ()) else {}
                yield {"name": wire, "in": "query", **must, "schema": schema}

    def _argument(self, method: Method, argument: str) -> Schema:
        for kind in list_classes((*method.payload_types, *method.query_types)):
            if argument in (fields := self._annotations.fields(kind)):
                return self._translator.schema(fields[argument].kind)
        annotation = method.parameters.get(argument)
        members = arguments_of(self._annotations.read(annotation, method.module)) if annotation else ()
        kept = [member for member in members if not (isinstance(member, Named) and member.name == "Omit")]
        return any_of([self._translator.schema(member) for member in kept]) if kept else {}

    def payload(self, method: Method) -> Schema:
        """What a method sends as its payload: one schema for its type, or for all the types it may send it as."""
        elsewhere = {*method.query, *method.headers.values(), *method.path_names}
        kinds = list_classes(method.payload_types)
        shapes = [self._translator.object(k, lambda name: name not in elsewhere) for k in kinds]
        if not shapes:
            return {}
        return merge_shapes(shapes) if any(k.name.endswith("Streaming") for k in kinds) else any_of(shapes)

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
        answer = self._annotations.read(method.answers, method.module)
        members = list(answer.members) if isinstance(answer, Choice) else [answer]
        content: dict[str, Any] = {}
        facts: dict[str, Any] = {}
        for member in members:
            if member == NONE:
                continue
            if _own_name(member) == "HttpxBinaryResponseContent":
                content["application/octet-stream"] = {"schema": dict(BINARY)}
            elif (event := self._event_type(member)) is not None:
                content["text/event-stream"] = {"schema": self._translator.schema(event)}
                facts["x-ends"] = AGENT_ENDS if "/agents/" in method.path else ["[DONE]"]
            else:
                content["application/json"] = {"schema": self._json(method, member)}
        if len(content) > 1:
            facts["x-stream"] = "payload" if "stream" in (method.payload or ()) else "query"
        if pages := self._pages(method, members[0]):
            facts["x-pages"] = pages
        return ({"200": {"content": content}} if content else {"204": {}}), facts

    def _pages(self, method: Method, answer: Type) -> str | None:
        """Return how a list goes on: as its class of pages says, or as its answer's fields do."""
        if isinstance(answer, Applied) and isinstance(answer.origin, Named) and answer.origin.module == PAGINATION:
            return self._read_page_class(method, answer.origin)
        fields = self._annotations.fields(answer) if isinstance(answer, Named) else {}
        return "page" if "page" in method.query and "next_page" in fields else None

    def _read_page_class(self, method: Method, page: Named) -> str | None:
        """Return how pages of a class go on: by the parameter that asks for the next one, and where its value is."""
        found = self._annotations.definition(page)
        asked = {
            key.value
            for call in ast.walk(found.node if found else ast.Constant(None))
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "PageInfo"
            for each in ast.walk(call)
            if isinstance(each, ast.Dict)
            for key in each.keys
            if isinstance(key, ast.Constant)
        }
        if asked == {"page"}:
            return "page"
        if asked == {"after"}:
            return "next" if "next" in self._annotations.fields(page) else "cursor"
        if asked or page.name != "SyncPage":
            self._notes.append(f"{method.name}: how its pages ({page.name}) go on cannot be read")
        return None

    def _json(self, method: Method, answer: Type) -> Schema:
        if not isinstance(answer, Applied) or not isinstance(answer.origin, Named):
            return self._translator.schema(answer)
        shape = self._translator.object(answer.origin)
        shape["properties"]["data"] = {"type": "array", "items": self._translator.schema(answer.arguments[0])}
        shape["required"] = ["data"]
        inner = next(n for n in ast.walk(method.answers or ast.Constant(None)) if isinstance(n, ast.Subscript)).slice
        return {"$ref": PREFIX + self._definition(f"{ast.unparse(inner).rpartition('.')[2]}Page", shape)}

    def _event_type(self, answer: Type) -> Type | None:
        """The type of a stream's events: the parameter of `Stream`, also when a subclass has filled it in."""
        origin = answer.origin if isinstance(answer, Applied) else answer
        for base in (answer, *self._annotations.bases(origin)):
            if isinstance(base, Applied) and _own_name(base) == "Stream":
                return base.arguments[0]
        return None


def _own_name(kind: Type) -> str:
    origin = kind.origin if isinstance(kind, Applied) else kind
    return origin.name if isinstance(origin, Named | Plain) else ""


def list_classes(kinds: Iterable[Type]) -> list[Named]:
    """Return the classes among some types, and among the members of those that are unions."""
    members = [bare(m) for kind in kinds for m in (kind.members if isinstance(kind, Choice) else (kind,))]
    return [member for member in members if isinstance(member, Named)]


def merge_shapes(shapes: list[Schema]) -> Schema:
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
