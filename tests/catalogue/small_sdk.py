"""A small SDK and the document beside it, for tests that bring a catalogue up to both."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from connector.cli.app import app

COMPAT = "def cached_property(function): ..."
CLIENT = """
from ._compat import cached_property
from .resources.cats import Cats
raise RuntimeError("never run")
class OpenAI:
    @cached_property
    def cats(self) -> Cats: ...
"""
RESOURCE = """
from ..types import cat_create_params
from ..types.cat import Cat
class Cats:
    def create(self, *, name: str, colour: str | None = None) -> Cat:
        payload = {"name": name, "colour": colour}
        return self._post("/cats", body=maybe_transform(payload, cat_create_params.CatCreateParams))
    def retrieve(self, cat_id: str) -> Cat:
        return self._get(path_template("/cats/{cat_id}", cat_id=cat_id))
"""
PARAMS = """
from typing_extensions import Literal, Required, TypedDict
class CatCreateParams(TypedDict, total=False):
    name: Required[str]
    colour: Literal["black", "white"]
"""
CAT = "from .._models import BaseModel\nclass Cat(BaseModel):\n    id: str\n"
SDK = {
    "openai/__init__.py": "",
    "openai/_version.py": '__version__ = "9.9.9"',
    "openai/_compat.py": COMPAT,
    "openai/_client.py": CLIENT,
    "openai/_models.py": "from pydantic import BaseModel",
    "openai/resources/__init__.py": "",
    "openai/resources/cats.py": RESOURCE,
    "openai/types/__init__.py": "",
    "openai/types/cat.py": CAT,
    "openai/types/cat_create_params.py": PARAMS,
    "openai/types/shared/chat_model.py": 'ChatModel: TypeAlias = Literal["gpt-9-cat"]',
}
NAME: dict[str, Any] = {"type": "string"}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Cats", "version": "1"},
    "servers": [{"url": "https://api.openai.com/v1"}],
    "paths": {
        "/cats": {
            "post": {
                "operationId": "createCat",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/NewCat"}}}},
                "responses": {"200": {"description": "ok"}},
            }
        }
    },
    "components": {"schemas": {"NewCat": {"type": "object", "properties": {"name": NAME}}}},
}


def wheel(path: Path, **changed: str) -> Path:
    files = SDK | {f"openai/{name.replace('__', '/')}.py": text for name, text in changed.items()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def run(*words: str) -> Any:
    return CliRunner().invoke(app, ["entities", *words])
