"""Findings as SARIF: what code hosts insist on."""

from __future__ import annotations

from pathlib import Path

from jsonschema import Draft202012Validator

from connector.catalogue import Catalogue
from connector.config import Kinds
from connector.config.lint import RULE_SUMMARIES, lint, sarif_log

GOLDEN = Path(__file__).parent / "golden"
TEXT = {"type": "string", "minLength": 1}
POSITIVE = {"type": "integer", "minimum": 1}
MESSAGE = {"type": "object", "required": ["text"], "properties": {"text": TEXT}, "additionalProperties": False}


def obj(**members: object) -> dict[str, object]:
    return {"type": "object", "required": list(members), "properties": members, "additionalProperties": False}


REGION = obj(startLine=POSITIVE, startColumn=POSITIVE)
LOCATION = obj(
    physicalLocation=obj(artifactLocation=obj(uri={"type": "string", "format": "uri-reference"}), region=REGION)
)
RESULT = obj(
    ruleId={"enum": list(RULE_SUMMARIES)},
    ruleIndex={"type": "integer", "minimum": 0},
    level={"enum": ["error", "warning"]},
    message=MESSAGE,
    locations={"type": "array", "items": LOCATION, "minItems": 1},
)
DRIVER = obj(
    name=TEXT,
    semanticVersion=TEXT,
    rules={"type": "array", "items": obj(id=TEXT, shortDescription=MESSAGE), "uniqueItems": True},
)
LOG = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "$schema": TEXT,
        "version": {"const": "2.1.0"},
        "runs": {"type": "array", "items": obj(tool=obj(driver=DRIVER), results={"type": "array", "items": RESULT})},
    },
    "additionalProperties": False,
}
"""What SARIF 2.1.0 asks of the parts that are used."""


def test_every_golden_finding_is_a_result(kinds: Kinds, catalogue: Catalogue) -> None:
    for case in sorted(GOLDEN.glob("*.yaml")):
        found = lint(case, environ={}, kinds=kinds, catalogue=catalogue)
        log = sarif_log(found)
        assert list(Draft202012Validator(LOG).iter_errors(log)) == []
        [run] = log["runs"]
        rules = run["tool"]["driver"]["rules"]
        assert len(run["results"]) == len(found) > 0
        assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])


def test_places_are_uris_and_lines(kinds: Kinds, catalogue: Catalogue) -> None:
    found = lint(GOLDEN / "syntax.yaml", environ={}, kinds=kinds, catalogue=catalogue)
    [result] = sarif_log(found)["runs"][0]["results"]
    location = result["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == (GOLDEN / "syntax.yaml").as_uri()
    assert location["region"] == {"startLine": 2, "startColumn": 59}
