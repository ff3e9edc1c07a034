"""Answers built from the schemas of the catalogue: filled with what is known, the rest made up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

from jsonschema_rs import Draft202012Validator

from connector.catalogue import Catalogue, Operation
from connector.catalogue.examples import example_number, example_string
from connector.catalogue.flat_schema import FlatSchema, flatten
from connector.model import JSON, is_document, is_list, is_object, items, members
from connector.request.schema_fields import resolve_reference

__all__ = ["AnswerBuilder", "AnswerTemplate"]

PREFIXES = {
    "files": "file-", "uploads": "upload_", "upload parts": "part_", "batches": "batch_", "vector stores": "vs_",
    "vector store files": "file-", "vector store file batches": "vsfb_", "assistants": "asst_", "threads": "thread_",
    "messages": "msg_", "runs": "run_", "run steps": "step_", "responses": "resp_", "conversations": "conv_",
    "conversation items": "msg_", "chat completions": "chatcmpl-", "completions": "cmpl-", "videos": "video_",
    "fine-tuning jobs": "ftjob-", "fine-tuning job events": "ftevent-", "fine-tuning job checkpoints": "ftckpt_",
    "evals": "eval_", "eval runs": "evalrun_", "eval run output items": "outputitem_", "containers": "cntr_",
    "container files": "cfile_", "projects": "proj_", "users": "user-", "invites": "invite-",
    "certificates": "cert_", "admin API keys": "key_", "groups": "group_", "roles": "role_",
}  # fmt: skip
ALWAYS_SHOWN = frozenset({"object", "metadata", "status"})
PREFERRED = ("active", "completed", "enabled", "auto", "succeeded", "sent", "member", "default")
"""Choices that are taken before the first one."""
KNOWN_TEXTS = {"purpose": "assistants", "seconds": "4"}
"""Texts from lists that the API has and its schema does not give."""
FIRST_STATES = {"files": "processed", "uploads": "pending"}


def id_prefix(entity: str) -> str:
    """Return the prefix of an entity's ids: its known one, else its last word."""
    return PREFIXES.get(entity) or f"{singularize(entity.rsplit(maxsplit=1)[-1] if entity else 'object')}_"


def singularize(word: str) -> str:
    """Return the singular of a word."""
    for ending, end in (("ies", "y"), ("ches", "ch"), ("ses", "s"), ("s", "")):
        if word.endswith(ending):
            return word.removesuffix(ending) + end
    return word


class AnswerTemplate:
    """The template of one field of an answer, read from its schema and cached."""

    def __init__(self, shape: FlatSchema, schema: JSON, name: str = "") -> None:
        self.name = name
        self.shape = shape
        self._schema = schema

    @cached_property
    def fields(self) -> dict[str, AnswerTemplate]:
        """The templates of an object's fields, in the order of their declaration."""
        shape = self.shape
        return {name: AnswerTemplate(shape.property(name), part, name) for name, part in shape.properties.items()}

    @cached_property
    def item(self) -> AnswerTemplate:
        """The template of an array's items."""
        return AnswerTemplate(self.shape.items(), self.shape.facts.get("items", True), self.name.removesuffix("s"))

    @cached_property
    def branches(self) -> tuple[AnswerTemplate, ...]:
        """The templates of a union's alternatives."""
        root, whole = self.shape.root, resolve_reference(self._schema, self.shape.root)
        parts = items(members(whole).get("anyOf"))
        return tuple(
            AnswerTemplate(flatten({**part, "$defs": root.get("$defs", {})}), part, self.name) for part in parts
        )

    @cached_property
    def required(self) -> tuple[str, ...]:
        return tuple(self.shape.required)

    @cached_property
    def shown(self) -> frozenset[str]:
        """The fields of every answer: those that are required, and those that the API always sends."""
        return frozenset(self.required) | (ALWAYS_SHOWN & self.fields.keys())

    @cached_property
    def kind(self) -> str:
        """The type of the field when it is not null."""
        return self.shape.types[0]

    @cached_property
    def is_nullable(self) -> bool:
        """Whether the field may be null."""
        return self.accepts(None)

    def accepts(self, value: JSON) -> bool:
        """Return whether the schema accepts a value as it is."""
        return self._validator.is_valid(value)

    @cached_property
    def _validator(self) -> Draft202012Validator:
        if not is_document(self._schema):
            return Draft202012Validator(True)
        return Draft202012Validator({**self._schema, "$defs": self.shape.root.get("$defs", {})})


class AnswerBuilder:
    """Builds the answers of one catalogue's operations."""

    def __init__(self, catalogue: Catalogue, clock: Callable[[], float], new_id: Callable[[str], str]) -> None:
        self._catalogue = catalogue
        self._now = clock
        self._new_id = new_id
        self._forms: dict[tuple[str, str], AnswerTemplate] = {}

    def build_answer(self, operation: Operation, given: Mapping[str, JSON]) -> dict[str, JSON]:
        """Return the answer of an operation with the given values that its schema allows."""
        return self.fill(self.template(operation), given, operation.on or operation.entity)

    def build_event(self, operation: Operation) -> JSON:
        """Return the event that ends an operation's stream."""
        template = self.template(operation, "events")
        ends = [branch for branch in template.branches if _event_type(branch) in operation.ends]
        return self.fill(ends[0] if ends else template, {}, operation.on or operation.entity)

    def invent_object(self, kind: str, id: str) -> dict[str, JSON]:  # noqa: A002 - the API's word
        """Return an object that was never created, under the id that was asked for."""
        template = self.entity_template(kind)
        return {"id": id} if template is None else {**self.fill(template, {"id": id}, kind), "id": id}

    def template(self, operation: Operation, kind: str = "json") -> AnswerTemplate:
        """Return the template of one kind of an operation's answer."""
        known = self._forms.get((operation.wire_name, kind))
        if known is None:
            schema = self._catalogue.answer_schema(operation, kind) or {}
            known = self._forms[operation.wire_name, kind] = AnswerTemplate(flatten(schema), schema)
        return known

    def entity_template(self, kind: str) -> AnswerTemplate | None:
        """Return the template of an entity's object: as it is retrieved or created, else as it is listed."""
        own = {op.action: op for op in self._catalogue.operations() if op.entity == kind and "json" in op.answer}
        for action in ("retrieve", "create", "update"):
            if action in own and not self.template(own[action]).fields.get("data"):
                return self.template(own[action])
        if "list" in own:
            listed = self.template(own["list"]).fields.get("data")
            return None if listed is None else listed.item
        return None

    def fill(self, template: AnswerTemplate, given: Mapping[str, JSON], entity: str) -> dict[str, JSON]:
        """Return an object with the given values that the template accepts; the rest is made up."""
        names = [name for name in template.fields if name in template.shown or given.get(name) is not None]
        made = {name: self._fill_value(template.fields[name], given.get(name), name in given, entity) for name in names}
        # What is required without being declared may be anything.
        undeclared = {name: given.get(name) for name in template.required if name not in made}
        return {**made, **undeclared, **self._keep_open_members(template, given)}

    def _keep_open_members(self, template: AnswerTemplate, given: Mapping[str, JSON]) -> dict[str, JSON]:
        """Return the members of a map, whose names the schema leaves open."""
        return {} if template.shape.properties or not template.accepts(given) else dict(given)

    def _fill_value(self, template: AnswerTemplate, given: JSON, is_given: bool, entity: str) -> JSON:
        if is_given and template.accepts(given):
            return given
        if is_object(given) and template.kind == "object":
            return self.fill(template, given, entity)
        if is_list(given) and template.kind == "array":
            return [self._fill_value(template.item, one, True, entity) for one in given]
        return self._make_up(template, entity)

    def _make_up(self, template: AnswerTemplate, entity: str) -> JSON:
        """Return a made-up value."""
        name = template.name
        if template.shape.choices:
            return _choose(template.shape.choices, entity)
        if name == "id" and template.kind == "string":
            return self._new_id(id_prefix(entity))
        if name in ("created_at", "created") and template.kind in ("integer", "number"):
            return int(self._now())
        return None if template.is_nullable else self._make_up_plain(template, entity)

    def _make_up_plain(self, template: AnswerTemplate, entity: str) -> JSON:
        if template.kind == "object":
            return self.fill(template, {}, entity)
        if template.kind == "array":
            return [self._make_up(template.item, entity) for _ in range(template.shape.limit("minItems", 0))]
        if template.kind == "string":
            return self._make_up_text(template, entity)
        if template.kind in ("integer", "number"):
            return self._make_up_number(template)
        return template.name in ("deleted", "enabled", "success") if template.kind == "boolean" else None

    def _make_up_text(self, template: AnswerTemplate, entity: str) -> str:
        if template.name == "object":
            return _object_name(entity)
        return KNOWN_TEXTS.get(template.name) or example_string(template.name, entity, template.shape.facts)

    def _make_up_number(self, template: AnswerTemplate) -> JSON:
        if template.name.endswith("_at"):
            return int(self._now())
        return 0 if template.accepts(0) else example_number(template.name, template.kind, template.shape.facts)


def _event_type(template: AnswerTemplate) -> JSON:
    known = template.fields.get("type")
    return next(iter(known.shape.choices), None) if known else None


def _object_name(entity: str) -> str:
    """Return the object name that no schema gives: `container files` are `container.file` each."""
    return ".".join(singularize(word) for word in entity.split())


def _choose(choices: Sequence[JSON], entity: str) -> JSON:
    liked = (FIRST_STATES.get(entity), *PREFERRED)
    return next((choice for choice in liked if choice in choices), choices[0])
