"""Facts of one's own, a field, an operation, its effect and a model, are known everywhere, update after update."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from connector.catalogue import Catalogue
from connector.cli.app import app
from connector.sandbox import Sandbox, in_thread
from tests.catalogue.small_sdk import DOCUMENT, RESOURCE, run, wheel

OVERLAY = """
x-additions:
  - at: /components/schemas/NewCat
    properties: {mood: {type: string, enum: [calm, grumpy]}}
paths:
  /cats/{cat_id}/naps:
    post:
      operationId: createNap
      parameters: [{name: cat_id, in: path, required: true, schema: {type: string}}]
      requestBody:
        required: true
        content:
          application/json: {schema: {type: object, properties: {minutes: {type: integer}}, required: [minutes]}}
      responses: {"200": {content: {application/json: {schema: {type: object, properties: {id: {type: string}}}}}}}
operations:
  POST /cats/{cat_id}/naps: {effect: idempotent}
"""
MODELS = """
as_of: 2026-01-01
models:
  gpt-9-mine: {kind: text, prices: [{input: 7, output: 70}]}
"""
CONFIGURATION = """
clients: {openai: {prototype: openai, parameters: {token: key}}}
incoming: {naps: {subscriber: {prototype: file, parameters: {url: naps.jsonl}}}}
outgoing:
  nap: {publisher: {prototype: openai, parameters: {client: openai, entity: cat naps, action: create}}}
routes: {naps: {incoming: naps, outgoing: nap, key: id}}
"""


@pytest.fixture
def own(cats: Path) -> Path:
    """A catalogue with facts of its user, after an update."""
    (cats / "entities" / "overlays" / "mine.yaml").write_text(OVERLAY)
    (cats / "entities" / "models" / "overlay.yaml").write_text(MODELS)
    updated = run("update", "--sdk", "new.whl")
    assert updated.exit_code == 0, (updated.output, updated.exception)
    (cats / "connector.yaml").write_text(CONFIGURATION)
    return cats


def check(folder: Path) -> None:
    """Explain, lint and the sandbox know the field, the operation, its effect and the model."""
    runner = CliRunner()
    create = ["explain", "cats", "create", "--set", "payload.name=Tom", "--validate", "strict", "--select", "body"]
    shown = runner.invoke(app, [*create, "--set", "payload.mood=grumpy"])
    assert json.loads(shown.stdout) == {"name": "Tom", "mood": "grumpy"}, (shown.output, shown.exception)
    refused = runner.invoke(app, [*create, "--set", "payload.mood=purple"])
    assert "payload.mood" in str(refused.exception)
    assert runner.invoke(app, ["lint"]).exit_code == 0
    listed = [json.loads(line) for line in runner.invoke(app, ["entities", "list", "--json"]).stdout.splitlines()]
    assert ("cat naps", "create", "idempotent") in [(row["entity"], row["action"], row["effect"]) for row in listed]
    model = json.loads(runner.invoke(app, ["models", "show", "gpt-9-mine", "--json"]).stdout)
    assert model["prices"]["default"] == {"input": 7, "output": 70}
    with in_thread(Sandbox(catalogue=Catalogue.open(folder / "entities"), lenient=True)) as sandbox:
        headers = {"Authorization": "Bearer any"}
        answers = [
            httpx.post(f"{sandbox.url}/cats/tom/naps", json=payload, headers=headers)
            for payload in ({"minutes": 5}, {"minutes": "long"})
        ]
    assert [answer.status_code for answer in answers] == [200, 400]


def test_what_an_overlay_says_is_known_everywhere_and_outlives_updates(own: Path) -> None:
    check(own)
    older = RESOURCE.partition("    def retrieve")[0]
    wheel(own / "other.whl", resources__cats=older)
    (own / "newer.json").write_text(json.dumps(DOCUMENT))
    for options in (["--sdk", "other.whl"], ["--document", "newer.json"]):
        updated = run("update", *options)
        assert (updated.exit_code, "mine.yaml" in updated.stderr) == (0, False), updated.output
    check(own)


def test_a_conflict_with_a_newer_document_is_told(own: Path) -> None:
    newer = json.loads(json.dumps(DOCUMENT))
    newer["components"]["schemas"]["NewCat"]["properties"]["mood"] = {"type": "integer"}
    newer["paths"]["/cats/{cat_id}/naps"] = {"post": {"operationId": "createNap", "responses": {"204": {}}}}
    (own / "newer.json").write_text(json.dumps(newer))
    updated = run("update", "--document", "newer.json")
    assert updated.exit_code == 0, (updated.output, updated.exception)
    place = "overlays/mine.yaml: x-additions: /components/schemas/NewCat: 'mood'"
    assert f"note: {place} is in the document by now, and says otherwise there" in updated.stderr
    assert "note: overlays/mine.yaml: paths: POST /cats/{cat_id}/naps is in the document by now" in updated.stderr


def test_an_overlay_about_what_is_gone_is_told(own: Path) -> None:
    newer = json.loads(json.dumps(DOCUMENT))
    newer["paths"]["/cats"]["post"]["requestBody"]["content"]["application/json"]["schema"] = {"type": "object"}
    del newer["components"]
    (own / "newer.json").write_text(json.dumps(newer))
    updated = run("update", "--document", "newer.json")
    assert "overlays/mine.yaml: x-additions: /components/schemas/NewCat is not in the document" in updated.stderr
