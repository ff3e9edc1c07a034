"""A schema as a form to be filled in: what each field may hold, and what it holds when nobody says."""

from __future__ import annotations

from functools import cached_property

from jsonschema_rs import Draft202012Validator

from connector.catalogue.shapes import Shape, shape_of
from connector.model import JSON, is_document
from connector.request.fields import resolve
from connector.shapes import items, members

__all__ = ["Form"]

ALWAYS = frozenset({"object", "metadata", "status"})


class Form:
    """One field of an answer; what is worked out about it is kept."""

    def __init__(self, shape: Shape, schema: JSON, name: str = "") -> None:
        self.name = name
        self.shape = shape
        self._schema = schema

    @cached_property
    def fields(self) -> dict[str, Form]:
        """The fields of an object, in the order of their declaration."""
        shape = self.shape
        return {name: Form(shape.property(name), part, name) for name, part in shape.properties.items()}

    @cached_property
    def item(self) -> Form:
        """The form of an array's items."""
        return Form(self.shape.items(), self.shape.facts.get("items", True), self.name.removesuffix("s"))

    @cached_property
    def branches(self) -> tuple[Form, ...]:
        """The alternatives of a union, each as a form."""
        root, whole = self.shape.root, resolve(self._schema, self.shape.root)
        parts = items(members(whole).get("anyOf"))
        return tuple(Form(shape_of({**part, "$defs": root.get("$defs", {})}), part, self.name) for part in parts)

    @cached_property
    def required(self) -> tuple[str, ...]:
        return tuple(self.shape.required)

    @cached_property
    def shown(self) -> frozenset[str]:
        """The fields that an answer has in any case: those that are required, and those that the API always sends."""
        return frozenset(self.required) | (ALWAYS & self.fields.keys())

    @cached_property
    def kind(self) -> str:
        """The type it has when it is not null."""
        return self.shape.types[0]

    @cached_property
    def nullable(self) -> bool:
        """Whether null will do."""
        return self.fits(None)

    def fits(self, value: JSON) -> bool:
        """Whether a value may stand here as it is."""
        return self._judge.is_valid(value)

    @cached_property
    def _judge(self) -> Draft202012Validator:
        if not is_document(self._schema):
            return Draft202012Validator(True)
        return Draft202012Validator({**self._schema, "$defs": self.shape.root.get("$defs", {})})
