"""The base of every part of a configuration: closed, frozen, in two spellings, references replaced late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

from pydantic import (
    AliasChoices,
    AliasGenerator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel

from connector.config.variables import Scope
from connector.model import JSON, is_document, is_list, is_object

if TYPE_CHECKING:
    from connector.config.findings import Path
    from connector.config.variables import Variables

__all__ = ["Chained", "Component", "Entry", "Names", "Section", "Steps", "WithChain", "none_as_empty", "one_or_more"]

Steps = list[JSON]


def _spellings(name: str) -> AliasChoices:
    return AliasChoices(name, to_camel(name)) if "_" in name else AliasChoices(name)


def as_steps(value: JSON) -> JSON:
    """Turn one step into a chain of one."""
    return [value] if isinstance(value, str) or is_object(value) else value


def none_as_empty(value: JSON) -> JSON:
    """Turn null, which YAML reads for an empty value, into an empty object."""
    return {} if value is None else value


def one_or_more(value: JSON) -> JSON:
    """Turn one value into a list of one."""
    return value if is_list(value) or value is None else [value]


Names = Annotated[
    tuple[str, ...],
    BeforeValidator(one_or_more),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
Chained = Annotated[Steps, BeforeValidator(as_steps)]
Parameters = Annotated[dict[str, JSON], BeforeValidator(none_as_empty)]


class Section(BaseModel):
    """A part of a configuration: frozen, closed, in snake_case or camelCase; its errors show no values."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        alias_generator=AliasGenerator(validation_alias=_spellings),
        loc_by_alias=False,
    )
    _scope: Scope | None = PrivateAttr(None)

    def bind(self, variables: Variables, path: Path) -> None:
        """Give this part and those within it the variables that replace references."""
        self._scope = Scope(variables, path)
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, Section):
                value.bind(variables, (*path, name))
            for key, part in value.items() if is_document(value) else ():
                if isinstance(part, Section):
                    part.bind(variables, (*path, name, key))

    def resolve(self, value: JSON, *inner: str, for_client: bool = False) -> JSON:
        """Return a value of this part with its references replaced as they are now."""
        return value if self._scope is None else self._scope.resolve(value, *inner, for_client=for_client)


class Component(Section):
    """A prototype and its parameters."""

    prototype: str = Field(description="The name of the prototype.")
    raw_parameters: Parameters = Field(
        default_factory=dict[str, JSON],
        validation_alias=AliasChoices("parameters"),
        description="The parameters of the prototype.",
        repr=False,
    )

    @property
    def parameters(self) -> dict[str, JSON]:
        """The parameters with their `${…}` replaced as they are now; placeholders stay."""
        return cast("dict[str, JSON]", self.resolve(self.raw_parameters, "parameters"))


class Entry(Section):
    """A part with a name."""

    description: str = Field(default="", description="What it is for.")


class WithChain(Section):
    """A part whose documents go through a chain."""

    raw_chain: Chained = Field(
        default_factory=list[JSON],
        validation_alias=AliasChoices("chain"),
        description="The steps that each document goes through.",
    )

    @property
    def chain(self) -> Steps:
        """The chain with its `${…}` replaced as they are now; placeholders stay."""
        return cast("Steps", self.resolve(self.raw_chain, "chain"))
