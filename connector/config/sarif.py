"""Findings as SARIF 2.1.0, which code hosts and editors show beside the lines."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path as File
from urllib.parse import quote

from connector.config.findings import Finding
from connector.config.linting import RULE_SUMMARIES
from connector.model import JSON
from connector.version import version

__all__ = ["sarif"]

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(findings: Iterable[Finding]) -> dict[str, JSON]:
    """One run of lint."""
    rules = list(RULE_SUMMARIES)
    driver = {
        "name": "openai-connector lint",
        "semanticVersion": version(),
        "rules": [{"id": rule, "shortDescription": {"text": RULE_SUMMARIES[rule]}} for rule in rules],
    }
    results = [_result(finding, rules) for finding in findings]
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _result(finding: Finding, rules: list[str]) -> dict[str, JSON]:
    place = finding.place
    region = {"startLine": place.line, "startColumn": place.column}
    return {
        "ruleId": finding.rule,
        "ruleIndex": rules.index(finding.rule),
        "level": finding.severity.value,
        "message": {"text": finding.words},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(place.file)}, "region": region}}],
    }


def _uri(file: str) -> str:
    """A file's name as a reference: relative as it was given, or a file URI."""
    path = File(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
