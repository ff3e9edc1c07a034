"""Lint a configuration, and write its findings as SARIF, which code hosts and editors show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path as File
from urllib.parse import quote

from connector.catalogue import Catalogue
from connector.config.findings import Finding, Place, Severity
from connector.config.kinds import Kinds
from connector.config.loading import demote_disabled, examine
from connector.config.rules.chains import check_shapes
from connector.config.rules.models import check_chain_refusals, check_models, check_refusals
from connector.config.rules.names import check_unused
from connector.config.rules.requests import check_operations
from connector.config.rules.routes import check_deadlines, check_deletions, check_transports, check_unused_settings
from connector.config.rules.settings import check_allow_rules, check_host_operations, check_plain_secrets
from connector.config.sources import SECTIONS, catalogue_of
from connector.model import JSON, Fault
from connector.model_registry import load_registry
from connector.version import version

__all__ = ["RULE_SUMMARIES", "lint", "sarif_log"]

RULES = (
    check_unused,
    check_operations,
    check_shapes,
    check_plain_secrets,
    check_transports,
    check_allow_rules,
    check_host_operations,
    check_deadlines,
    check_unused_settings,
    check_deletions,
    check_models,
    check_refusals,
    check_chain_refusals,
)
"""The rules that only lint checks."""
RULE_SUMMARIES: Mapping[str, str] = {
    "syntax": "The file is not YAML or JSON that can be read.",
    "duplicate-key": "A key is given twice in one object.",
    "duplicate-name": "Two files give the same name.",
    "unknown-key": "An unknown key.",
    "missing-key": "A required key is missing.",
    "wrong-name": "A name that other parts could not write.",
    "wrong-type": "A value that is not JSON, or of the wrong type.",
    "wrong-value": "A value that is not allowed.",
    "unknown-prototype": "An unknown prototype of a client, subscriber or publisher.",
    "unknown-name": "A client, connection, route or storage that is not declared.",
    "ambiguous-name": "A name that means more than one thing.",
    "unused-name": "An entry that nothing uses.",
    "malformed-variable": "Text that begins like a variable and is not one.",
    "variable-not-set": "A variable has neither a value nor a default.",
    "unknown-variable": "A variable that is not declared.",
    "unknown-step": "An unknown step, mapper, condition or saved chain.",
    "wrong-step": "Wrong parameters of a step.",
    "unknown-operation": "An entity or action that is not in the catalogue.",
    "wrong-direction": "A subscriber with an operation that writes, or a publisher with one that reads.",
    "missing-parameter": "A request without a required parameter.",
    "wrong-request": "A request template that no document can make valid.",
    "deprecated-operation": "An operation that is deprecated.",
    "removed-operation": "An operation that was removed from the API.",
    "wrong-shape": "A chain whose result is not a request.",
    "plain-secret": "A secret in plain text.",
    "unknown-engine": "An unknown engine.",
    "wrong-template": "A key, version, order or cursor that is not a valid template or expression.",
    "circular-schedule": "Schedules that start each other endlessly.",
    "wrong-transport": "A transport that does not support the publisher's operation.",
    "model-retired": "A model that was shut down.",
    "model-retires": "A model that stops within 90 days.",
    "model-refuses": "A parameter that the model of the request refuses.",
    "other-currency": "An amount in another currency than that of the prices.",
    "unpriced-budget": "A budget in money without prices.",
    "wrong-token": "A token that is not hashed, or has the hash of another one.",
    "open-listener": "A gateway or studio that other machines can reach without TLS or tokens.",
    "unusable-origins": "Pages that may call the gateway, and nothing to give them tokens with.",
    "unmatched-rule": "An allow rule that matches no operation.",
    "untold-deletions": "A route that should notice deleted documents and cannot.",
    "unused-setting": "A setting without effect.",
    "no-choice-of-transport": "A time by which answers are needed where no transport can be chosen.",
    "empty-configuration": "A configuration that declares nothing.",
}


def lint(
    source: File | str,
    *,
    environ: Mapping[str, str] | None = None,
    kinds: Kinds | None = None,
    catalogue: Catalogue | None = None,
    texts: Mapping[File, str] | None = None,
) -> list[Finding]:
    """Return the findings about a configuration, in the order of its files.

    Args:
        source: a file or folder.
        environ: the variables; by default the environment of the process.
        kinds: the kinds of subscribers and publishers; without them parameters are not checked.
        catalogue: the known entities; by default the configuration's own, else those that ship with the connector.
        texts: contents of some files, in place of those on disk.
    """
    loaded = examine(source, environ=environ, kinds=kinds, texts=texts)
    catalogue = catalogue or Catalogue.open(catalogue_of(File(source)))
    entities = catalogue.folder
    loaded.subject = replace(loaded.subject, find_models=lambda: load_registry(entities))
    loaded.check(require_variables=True)
    if loaded.tree.value in (None, {}) and not loaded.findings:
        loaded.findings.append(_empty(source))
    subject = replace(loaded.subject, catalogue=catalogue)
    more = (finding for rule in RULES for finding in rule(subject))
    found = [*loaded.findings, *demote_disabled(more, loaded.document)]
    errors = {finding.place for finding in found if finding.severity is Severity.ERROR}
    # A warning about the place of an error adds nothing.
    kept = [finding for finding in found if finding.severity is Severity.ERROR or finding.place not in errors]
    return sorted(dict.fromkeys(kept), key=lambda finding: finding.key)


def _empty(source: File | str) -> Finding:
    allowed = f"declare {', '.join(SECTIONS)}; `init` writes a first configuration"
    return Finding("empty-configuration", Place(str(source), 1, 1), Fault("", "nothing is declared", allowed))


SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif_log(findings: Iterable[Finding]) -> dict[str, JSON]:
    """Return the findings of one run as a SARIF 2.1.0 log."""
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
    """Return a file's name as a URI: relative as given, or a file URI."""
    path = File(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
