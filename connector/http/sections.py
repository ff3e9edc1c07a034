"""What groups of parameters are made of: sections, bounded numbers, and texts that are valid in a header."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr
from pydantic.alias_generators import to_camel
from pydantic.config import JsonDict

__all__ = ["HeaderText", "Seconds", "Secret", "Section", "Wait", "environment"]

Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
Wait = Annotated[float, Field(ge=0, le=3_600, allow_inf_nan=False)]


def environment(variable: str, *, unless: str = "") -> JsonDict:
    """Mark a field as taken from an environment variable when neither it nor the field named by `unless` is given."""
    return {"environment": variable, "unless": unless}


def _header_text(text: str) -> str:
    """Return a text that is valid in a header; the line break at the end of a file that held it is dropped."""
    text = text.strip()
    if not all(" " <= char <= "~" for char in text):
        raise ValueError("it holds line breaks, control characters or letters that cannot stand in a header")
    return text


def _header_secret(value: SecretStr) -> SecretStr:
    return SecretStr(_header_text(value.get_secret_value()))


HeaderText = Annotated[str, AfterValidator(_header_text)]
Secret = Annotated[SecretStr, AfterValidator(_header_secret)]
"""A credential: never shown, and valid in a header."""


class Section(BaseModel):
    """A group of parameters: frozen, closed, in snake_case or camelCase, and silent about values in its errors."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        alias_generator=to_camel,
        populate_by_name=True,
        loc_by_alias=False,
    )
