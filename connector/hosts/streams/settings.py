"""What a source is told: keys, since when, and how reports are split."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from connector.errors import ConfigurationError
from connector.model import JSON
from connector.suggestions import closest, did_you_mean

__all__ = ["Settings", "SourceSettings", "read_settings"]

SECRET: dict[str, JSON] = {"airbyte_secret": True}


class Settings(BaseModel):
    """The configuration that a host gives: closed, and its errors show no values."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @property
    def secrets(self) -> list[str]:
        """What must not be shown."""
        values = (getattr(self, name) for name in type(self).model_fields)
        return [value.get_secret_value() for value in values if isinstance(value, SecretStr)]


Some = TypeVar("Some", bound=Settings)


class SourceSettings(Settings):
    """How the API is read."""

    api_key: SecretStr | None = Field(
        default=None,
        title="API key",
        description="A project's key: files, batches, models, vector stores and what else a project has.",
        json_schema_extra=SECRET,
    )
    admin_api_key: SecretStr | None = Field(
        default=None,
        title="Admin API key",
        description="An organization's admin key: usage, costs, audit logs, projects and users.",
        json_schema_extra=SECRET,
    )
    start_date: date | None = Field(
        default=None,
        title="Start date",
        description="Nothing before this day (UTC) is read. Without it, usage and costs are read from 30 days ago, and"
        " everything else from its beginning.",
    )
    lookback_days: int = Field(
        default=3,
        ge=0,
        le=365,
        title="Lookback, in days",
        description="An incremental sync reads this many days again, for figures and states that change afterwards.",
    )
    bucket_width: Literal["1d", "1h", "1m"] = Field(
        default="1d",
        title="Time span of usage",
        description="The time span of one row of usage. Costs come by the day.",
    )
    group_by: list[str] | None = Field(
        default=None,
        title="Usage is split by",
        description="Fields such as project_id, model, line_item; by default all that a report offers, [] for totals.",
    )
    organization: str | None = Field(default=None, title="Organization", description="The organization that is asked.")
    project: str | None = Field(default=None, title="Project", description="The project that is asked.")
    base_uri: str | None = Field(
        default=None,
        title="Address",
        description="Where the API is; https://api.openai.com/v1 unless given.",
    )

    @field_validator("start_date", mode="before")
    @classmethod
    def _take_day(cls, value: JSON) -> JSON:
        """Take a time for its day: hosts write 2026-01-01T00:00:00Z as well."""
        return value[:10] if isinstance(value, str) and value[10:11] == "T" else value

    @property
    def start(self) -> int | None:
        """The start date as Unix seconds."""
        if self.start_date is None:
            return None
        return int(datetime(self.start_date.year, self.start_date.month, self.start_date.day, tzinfo=UTC).timestamp())

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of the client."""
        given = {
            "token": self.api_key.get_secret_value() if self.api_key else None,
            "admin_token": self.admin_api_key.get_secret_value() if self.admin_api_key else None,
            "organization": self.organization,
            "project": self.project,
            "base_uri": self.base_uri,
        }
        return {name: value for name, value in given.items() if value}


def read_settings(model: type[Some], given: JSON) -> Some:
    """Return the settings that a host gave; ConfigurationError with every fault."""
    if not isinstance(given, Mapping):
        raise ConfigurationError("the configuration is not a JSON object")
    try:
        return model.model_validate(given)
    except ValidationError as error:
        faults = [_describe(model, one["loc"], one["type"], one["msg"]) for one in error.errors()]
    raise ConfigurationError("the configuration cannot be used: " + "; ".join(faults))


def _describe(model: type[Settings], place: tuple[int | str, ...], kind: str, message: str) -> str:
    where = ".".join(str(part) for part in place) or "as a whole"
    if kind != "extra_forbidden":
        return f"{where}: {message}"
    meant = did_you_mean(closest(where, model.model_fields))
    return f"{where}: unknown; {meant or 'these are known: ' + ', '.join(model.model_fields)}"
