"""A catalogue is brought up to a newer SDK or document; what is broken, or killed, changes nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from connector.catalogue import Catalogue
from connector.catalogue.importer import import_document
from connector.cli.app import app
from connector.config import load
from connector.config.sources import catalogue_of
from connector.errors import ConfigurationError

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


@pytest.fixture
def cats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a small catalogue in `entities`, and a small SDK in `new.whl`."""
    monkeypatch.chdir(tmp_path)
    overlays = tmp_path / "entities" / "overlays"
    overlays.mkdir(parents=True)
    (overlays / "own.yaml").write_text("operations:\n  POST /cats: {effect: idempotent}\n")
    (tmp_path / "cats.json").write_text(json.dumps(DOCUMENT))
    import_document(tmp_path / "cats.json", tmp_path / "entities")
    wheel(tmp_path / "new.whl")
    return tmp_path


def test_what_a_newer_sdk_knows_is_shown_and_written(cats: Path) -> None:
    before = contents(cats / "entities")
    checked = run("update", "--sdk", "new.whl", "--check", "--text")
    assert (checked.exit_code, contents(cats / "entities")) == (1, before)
    updated = run("update", "--sdk", "new.whl", "--text")
    assert (updated.exit_code, updated.stdout) == (0, checked.stdout), updated.output
    assert "added    operation  GET /cats/{cat_id} (cats retrieve)" in updated.stdout
    assert "added    field      NewCat.colour" in updated.stdout
    assert "+ gpt-9-cat" in updated.stdout
    catalogue = Catalogue.open(cats / "entities")
    assert catalogue.find("cats.retrieve").wire_name == "GET /cats/{cat_id}"
    assert catalogue.find("cats create").effect == "idempotent"
    assert "gpt-9-cat" in (cats / "entities" / "models" / "registry.yaml").read_text()
    again = run("update", "--sdk", "new.whl", "--text")
    assert (again.exit_code, again.stdout) == (0, "no drift\n")
    assert "is up to date" in again.stderr
    assert run("drift", "--sdk", "new.whl").exit_code == 0
    assert sorted(each.name for each in cats.iterdir()) == ["cats.json", "entities", "new.whl"]


def test_a_folder_of_an_unpacked_wheel_does_as_well(cats: Path) -> None:
    with zipfile.ZipFile(cats / "new.whl") as archive:
        archive.extractall(cats / "unpacked")
    assert run("update", "--sdk", "unpacked").exit_code == 0
    assert run("drift", "--sdk", "new.whl").exit_code == 0


def test_what_an_older_sdk_does_not_have_goes_again(cats: Path) -> None:
    run("update", "--sdk", "new.whl")
    older = RESOURCE.partition("    def retrieve")[0]
    wheel(cats / "old.whl", resources__cats=older)
    shown = run("update", "--sdk", "old.whl", "--text")
    assert "removed  operation  GET /cats/{cat_id} (cats retrieve)" in shown.stdout
    assert len(Catalogue.open(cats / "entities").operations()) == 1


def test_a_newer_document_alone_keeps_what_the_sdk_said(cats: Path) -> None:
    run("update", "--sdk", "new.whl")
    newer = json.loads(json.dumps(DOCUMENT))
    newer["paths"]["/dogs"] = {"get": {"operationId": "listDogs", "responses": {"204": {"description": "none"}}}}
    (cats / "newer.json").write_text(json.dumps(newer))
    assert run("drift", "newer.json").exit_code == 1
    shown = run("update", "--document", "newer.json", "--text")
    assert shown.stdout.splitlines() == ["added    operation  GET /dogs (dogs retrieve)"], shown.output
    assert run("drift", "newer.json", "--sdk", "new.whl").exit_code == 0


def test_the_configuration_says_where_the_catalogue_is(cats: Path) -> None:
    (cats / "connector.yaml").write_text("entities: mine\nclients: {team: {prototype: openai}}\n")
    with pytest.raises(ConfigurationError, match="'mine' holds no catalogue"):
        catalogue_of(cats / "connector.yaml")
    assert run("update", "--sdk", "new.whl", "--into", "mine", "--entities", "entities").exit_code == 0
    assert catalogue_of(cats / "connector.yaml") == cats / "mine"
    assert load(cats / "connector.yaml").catalogue_folder == cats / "mine"
    assert '"GET","path":"/cats/{cat_id}"' in run("list", "--json").stdout
    assert "/cats/{cat_id}" not in run("list", "--json", "--entities", "entities").stdout
    (cats / "connector.yaml").write_text("clients: {team: {prototype: openai}}\n")
    assert catalogue_of(cats / "connector.yaml") == cats / "entities"
    assert catalogue_of(cats) == cats / "entities"


def broken_wheels(cats: Path) -> dict[str, Path]:
    whole = (cats / "new.whl").read_bytes()
    (cats / "truncated.whl").write_bytes(whole[: len(whole) // 2])
    (cats / "damaged.whl").write_bytes(whole[:200] + bytes(300) + whole[500:])
    (cats / "text.whl").write_text("no archive")
    with zipfile.ZipFile(cats / "other.whl", "w") as archive:
        archive.writestr("requests/__init__.py", "")
    with zipfile.ZipFile(cats / "half.whl", "w") as archive:
        archive.writestr("openai/__init__.py", "")
    wheel(cats / "syntax.whl", resources__cats="class Cats(:")
    wheel(cats / "nothing.whl", _client="class OpenAI: ...")
    wheel(cats / "bomb.whl", bomb="#" * (9 * 2**20))
    wheel(cats / "deep.whl", types__cat_create_params="x = " + "-" * 200_000 + "1")
    return {path.stem: path for path in cats.glob("*.whl") if path.stem != "new"}


def test_a_broken_sdk_changes_nothing(cats: Path) -> None:
    before = contents(cats / "entities")
    wheels = broken_wheels(cats)
    assert len(wheels) == 9
    for name, path in wheels.items():
        refused = run("update", "--sdk", str(path))
        assert isinstance(refused.exception, ConfigurationError), (name, refused.output, refused.exception)
        assert path.name in str(refused.exception) or "the SDK's" in str(refused.exception)
        assert contents(cats / "entities") == before
    assert not list(cats.glob(".*"))


@pytest.mark.parametrize(
    "text",
    ["", "{", "openapi: 4.0.0", '{"openapi": "3.1.0", "paths": {}}', '{"openapi": "3.1.0", "paths": [1]}',
     '{"openapi": "3.1.0", "servers": [{"url": "https://shop.example"}], "paths": {"/a": {"get": {}}}}'],
)  # fmt: skip
def test_a_broken_document_changes_nothing(text: str, cats: Path) -> None:
    before = contents(cats / "entities")
    (cats / "broken.json").write_text(text)
    refused = run("update", "--document", "broken.json", "--sdk", "new.whl")
    assert isinstance(refused.exception, ConfigurationError), refused.output
    assert "broken.json" in str(refused.exception)
    assert contents(cats / "entities") == before


def test_what_cannot_be_read_of_a_release_is_said_and_left_out(cats: Path) -> None:
    more = RESOURCE + "    def odd(self) -> Cat:\n        return self._get(somewhere())\n"
    wheel(cats / "odd.whl", resources__cats=more.replace("cat_id: str) -> Cat:", "cat_id: str) -> Strange[1]:"))
    shown = run("update", "--sdk", "odd.whl", "--text")
    assert shown.exit_code == 0, shown.output
    assert "note: cats.odd: the path of its call cannot be read" in shown.stderr
    assert Catalogue.open(cats / "entities").find("cats retrieve")


def test_a_folder_that_is_no_catalogue_is_not_replaced(cats: Path) -> None:
    (cats / "photos").mkdir()
    (cats / "photos" / "cat.png").write_bytes(b"cat")
    refused = run("update", "--sdk", "new.whl", "--into", "photos")
    assert "not empty, and no catalogue" in str(refused.exception)
    assert contents(cats / "photos") == {"cat.png": b"cat"}


def test_what_else_lies_in_the_folder_stays(cats: Path) -> None:
    (cats / "entities" / "NOTES.md").write_text("mine")
    assert run("update", "--sdk", "new.whl").exit_code == 0
    assert (cats / "entities" / "NOTES.md").read_text() == "mine"


KILLED = """
import os, signal, sys
import connector.catalogue.importer.update as update
import connector.aio.atomic_folder as atomic_folder
def die(*_, **__): os.kill(os.getpid(), signal.SIGKILL)
setattr(*{"read": (update, "_read_sdk"), "build": (update, "build_document"), "write": (update, "write_catalogue"),
  "models": (update, "_update_models"), "sync": (atomic_folder, "sync_path"), "swap": (atomic_folder, "_exchange"),
}[sys.argv[1]], die)
from connector.cli.app import app
app(["entities", "update", "--sdk", "new.whl"])
"""


@pytest.mark.parametrize("place", ["read", "build", "write", "models", "sync", "swap"])
def test_a_killed_update_changes_nothing_and_the_next_one_works(place: str, cats: Path) -> None:
    before = contents(cats / "entities")
    killed = subprocess.run([sys.executable, "-c", KILLED, place], check=False, env=dict(os.environ))
    assert killed.returncode == -signal.SIGKILL
    assert contents(cats / "entities") == before
    assert run("update", "--sdk", "new.whl").exit_code == 0
    assert Catalogue.open(cats / "entities").find("cats retrieve")
