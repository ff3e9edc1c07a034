"""Every rule of lint, a golden file each: what stands in RULE.yaml is found as RULE.txt says."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from connector.catalogue import Catalogue
from connector.config import Kinds
from connector.config.lint import RULE_SUMMARIES, lint

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(GOLDEN.glob("*.yaml"))
LISTED = re.compile(r"(unknown (?:mapper|condition) .*?); there are .*")
ENVIRON = {"TOKEN": "canary-from-the-environment"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_rule_finds_what_its_golden_file_says(
    case: Path, kinds: Kinds, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(GOLDEN)
    found = lint(case.name, environ=ENVIRON, kinds=kinds, catalogue=catalogue)
    # What the engine lists grows with every step; that it is listed is enough here.
    text = "".join(LISTED.sub(r"\1", f"{finding}\n") for finding in found)
    if os.environ.get("WRITE_GOLDEN"):
        case.with_suffix(".txt").write_text(text, encoding="utf-8")
    assert text == case.with_suffix(".txt").read_text(encoding="utf-8")
    assert case.stem in {finding.rule for finding in found}
    assert "canary" not in text


def test_every_rule_has_its_golden_file() -> None:
    assert {case.stem for case in CASES} | {"duplicate-name"} == set(RULE_SUMMARIES)
