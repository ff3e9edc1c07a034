"""A catalogue is brought up to a newer SDK or document; what is broken, or killed, changes nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from connector.catalogue import Catalogue
from connector.config import load
from connector.config.sources import catalogue_of
from connector.errors import ConfigurationError
from tests.catalogue.small_sdk import DOCUMENT, RESOURCE, contents, run, wheel

pytestmark = pytest.mark.long


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
