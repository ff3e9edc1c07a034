"""The forms of other platforms, and what they become when they are filled in."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue, StrictStr

from connector.studio.schemas.base import Answer, Received

__all__ = ["FilledForm", "FormDetail", "FormRequest", "FormRow", "FormValue"]


class FormRow(Answer):
    """A form of another platform."""

    name: str = Field(description="Its name.", examples=["prismatic-create-image"])
    vendor: str = Field(description="The platform.", examples=["Prismatic"])
    title: str = Field(description="What it is called there.", examples=["Create Image"])
    about: str = Field(description="What it does.")
    section: Literal["clients", "incoming", "outgoing"] = Field(description="What it becomes a part of.")


class FormDetail(FormRow):
    """A form with its fields."""

    schema_: dict[str, JsonValue] = Field(
        description="The JSON Schema of its fields, with their defaults.", alias="schema"
    )


class FormRequest(Received):
    """A filled form."""

    entry: StrictStr = Field(description="What the new entry is called.", min_length=1, max_length=100)
    client: StrictStr = Field(default="openai", description="The client that it calls with.", max_length=100)
    known: bool = Field(default=True, description="Whether that client is declared; else it is made along with it.")
    values: dict[str, JsonValue] = Field(
        default_factory=dict[str, JsonValue], description="The fields; those that are left out have their defaults."
    )


class FormValue(Answer):
    """A value to put into the configuration."""

    path: list[str] = Field(description="Where.", examples=[["outgoing", "picture"]])
    value: JsonValue = Field(description="What.")


class FilledForm(Answer):
    """What a filled form becomes; nothing is saved."""

    values: list[FormValue] = Field(description="What is put into the configuration, in this order.")
    text: str = Field(description="The same as YAML.")
    notes: list[str] = Field(description="What is not as it is there, and what could not be carried over.")
    exported: list[JsonValue] = Field(description="What that platform's export would hold; empty where it has none.")
