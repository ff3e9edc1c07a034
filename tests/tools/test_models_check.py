"""`make models-check`: on a fixed day nothing that docs, examples and chains name retires early; later it says so."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from tests import warm
from tests.programs import needed

ROOT = Path(__file__).parents[2]


def command(today):
    """The command that the target runs, on a day of the test's."""
    shown = subprocess.run(
        [needed("make"), "-n", "-s", "models-check"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    words = shlex.split(shown.stdout.replace("\\\n", " ").splitlines()[-1])
    assert words[0].endswith("openai-connector")
    return [*warm.command(), *words[1:], "--today", today]


@pytest.mark.parametrize(("today", "code"), [("2026-11-28", 0), ("2040-01-01", 0)])
def test_what_we_name_ourselves_lives(today, code):
    ended = subprocess.run(command(today), cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert (ended.returncode, ended.stdout) == (code, ""), ended.stderr


def test_a_default_that_retires_is_said(tmp_path, monkeypatch, capsys):
    from connector.cli import main

    models = tmp_path / "models"
    models.mkdir()
    (models / "registry.yaml").write_text(
        "as_of: 2026-11-28\nroles: {text: old, speech: loud}\naccepted: {speech: no model follows}\n"
        "models: {old: {kind: text, shutdown: 2027-01-01}, loud: {kind: speech, shutdown: 2027-01-01}}\n"
    )
    words = ["models", "check", str(models), "--defaults", "--within", "120", "--today", "2026-11-28"]
    monkeypatch.setattr("sys.argv", ["openai-connector", *words, "--entities", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert "the default model for text, old, stops on 2027-01-01; choose another in models/overlay.yaml" in said
    assert "loud" not in said
