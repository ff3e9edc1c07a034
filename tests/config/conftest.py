"""What the tests of configurations share: kinds of connection that do nothing, and an environment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel, Field, SecretStr

from connector.catalogue import Catalogue
from connector.config import Kinds
from connector.http.parameters import Section

HERE = Path(__file__).parent


class Reading(Section):
    """What the kind `openai` of these tests takes."""

    client: str = Field(description="The client.")
    entity: str = Field(description="The entity.")
    action: str | None = Field(default=None, description="The action.")
    request: dict[str, object] = Field(default_factory=dict[str, object], description="The request.")
    parent: dict[str, object] | None = Field(default=None, description="Whose children are meant.")
    page_limit: int | None = Field(default=None, ge=1, description="At most so many pages.")


class Files(Section):
    """What the kind `file` takes."""

    url: str = Field(description="Where.")
    format: Literal["jsonl", "csv"] = Field(default="jsonl", description="What it is made of.")


class Tables(Section):
    """What the kind `sql` takes."""

    url: SecretStr = Field(description="Which database.")
    table: str = Field(description="Which table.")


class Nothing(Section):
    """What the kind `none` takes."""


@dataclass(frozen=True)
class Made:
    name: str
    parameters: type[BaseModel]
    summary: str = "made for tests"


@pytest.fixture(scope="session")
def kinds() -> Kinds:
    reads = [Made("openai", Reading), Made("file", Files), Made("sql", Tables)]
    return Kinds.of(reads, [*reads, Made("none", Nothing)])


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return Catalogue.open(None)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes a file of a configuration, and gives its path."""

    def put(text: str, name: str = "connector.yaml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return put
