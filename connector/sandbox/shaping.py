"""Answers of the right shape: from an answer's schema, filled from what is known, the rest made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from connector.catalogue import Catalogue, Operation
from connector.catalogue.plausible import number, plausible
from connector.catalogue.shapes import shape_of
from connector.model import JSON, is_list, is_object
from connector.sandbox.forms import Form
from connector.sandbox.prefixes import prefix_of, singular

if TYPE_CHECKING:
    from connector.sandbox.objects import Objects

__all__ = ["Shaper"]

LIKED = ("active", "completed", "enabled", "auto", "succeeded", "sent", "member", "default")
"""The choices that are taken before the first, where they are among them."""
KNOWN = {"purpose": "assistants", "seconds": "4"}
"""Texts that the API chooses from a list which its schema does not give."""
RESTING = {"files": "processed", "uploads": "pending"}


class Source(Protocol):
    """Where ids and times come from."""

    objects: Objects

    def now(self) -> float: ...

    def new_id(self, prefix: str) -> str: ...


class Shaper:
    """Fills in the forms of one catalogue's answers."""

    def __init__(self, catalogue: Catalogue, source: Source) -> None:
        self._catalogue = catalogue
        self._source = source
        self._forms: dict[tuple[str, str], Form] = {}

    def shaped(self, operation: Operation, given: Mapping[str, JSON]) -> dict[str, JSON]:
        """An operation's answer; what is given and allowed stands in it, and little else that is optional."""
        return self.filled(self.form(operation), given, operation.on or operation.entity)

    def event(self, operation: Operation) -> JSON:
        """The event that ends an operation's stream."""
        form = self.form(operation, "events")
        ends = [branch for branch in form.branches if _type_of(branch) in operation.ends]
        return self.filled(ends[0] if ends else form, {}, operation.on or operation.entity)

    def made_up(self, kind: str, id: str) -> dict[str, JSON]:  # noqa: A002 - the API's word
        """An object of a kind that nobody has made, under the id that was asked for."""
        form = self.of_entity(kind)
        return {"id": id} if form is None else {**self.filled(form, {"id": id}, kind), "id": id}

    def form(self, operation: Operation, kind: str = "json") -> Form:
        """The form of one kind of an operation's answer; it is kept."""
        known = self._forms.get((operation.wire_name, kind))
        if known is None:
            schema = self._catalogue.answer_schema(operation, kind) or {}
            known = self._forms[operation.wire_name, kind] = Form(shape_of(schema), schema)
        return known

    def of_entity(self, kind: str) -> Form | None:
        """The form of an entity's object: as it is retrieved or created, else as it is listed."""
        own = {op.action: op for op in self._catalogue.operations() if op.entity == kind and "json" in op.answer}
        for action in ("retrieve", "create", "update"):
            if action in own and not self.form(own[action]).fields.get("data"):
                return self.form(own[action])
        if "list" in own:
            listed = self.form(own["list"]).fields.get("data")
            return None if listed is None else listed.item
        return None

    def filled(self, form: Form, given: Mapping[str, JSON], entity: str) -> dict[str, JSON]:
        """A form filled in with what is given, as far as it may stand there; the rest is made up."""
        names = [name for name in form.fields if name in form.shown or given.get(name) is not None]
        made = {name: self._value(form.fields[name], given.get(name), name in given, entity) for name in names}
        # What is required without being declared may be anything.
        undeclared = {name: given.get(name) for name in form.required if name not in made}
        return {**made, **undeclared, **self._free(form, given)}

    def _free(self, form: Form, given: Mapping[str, JSON]) -> dict[str, JSON]:
        """The members of an object whose names are its owner's own."""
        return {} if form.shape.properties or not form.fits(given) else dict(given)

    def _value(self, form: Form, given: JSON, is_given: bool, entity: str) -> JSON:
        if is_given and form.fits(given):
            return given
        if is_object(given) and form.kind == "object":
            return self.filled(form, given, entity)
        if is_list(given) and form.kind == "array":
            return [self._value(form.item, one, True, entity) for one in given]
        return self._made(form, entity)

    def _made(self, form: Form, entity: str) -> JSON:
        """What stands where nobody says anything."""
        name = form.name
        if form.shape.choices:
            return _choice(form.shape.choices, entity)
        if name == "id" and form.kind == "string":
            return self._source.new_id(prefix_of(entity))
        if name in ("created_at", "created") and form.kind in ("integer", "number"):
            return int(self._source.now())
        return None if form.nullable else self._plain(form, entity)

    def _plain(self, form: Form, entity: str) -> JSON:
        if form.kind == "object":
            return self.filled(form, {}, entity)
        if form.kind == "array":
            return [self._made(form.item, entity) for _ in range(form.shape.limit("minItems", 0))]
        if form.kind == "string":
            return self._text(form, entity)
        if form.kind in ("integer", "number"):
            return self._number(form)
        return form.name in ("deleted", "enabled", "success") if form.kind == "boolean" else None

    def _text(self, form: Form, entity: str) -> str:
        if form.name == "object":
            return _named(entity)
        return KNOWN.get(form.name) or plausible(form.name, entity, form.shape.facts)

    def _number(self, form: Form) -> JSON:
        if form.name.endswith("_at"):
            return int(self._source.now())
        return 0 if form.fits(0) else number(form.name, form.kind, form.shape.facts)


def _type_of(form: Form) -> JSON:
    known = form.fields.get("type")
    return next(iter(known.shape.choices), None) if known else None


def _named(entity: str) -> str:
    """What an object calls itself where no schema says it: `container files` are `container.file` each."""
    return ".".join(singular(word) for word in entity.split())


def _choice(choices: Sequence[JSON], entity: str) -> JSON:
    liked = (RESTING.get(entity), *LIKED)
    return next((choice for choice in liked if choice in choices), choices[0])
