"""Runs the judges against a source and a destination: the commands themselves, or those with a mistake."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

from connector.hosts.airbyte.package import write_packages
from tests.hosts.judges import ROOT, needed_judge, python_of, variables
from tests.warm import command, mistaken

__all__ = ["program", "suite", "tell_stories"]

HERE = Path(__file__).parent
WARNING = "error::airbyte_cdk.test.standard_tests.DiscoveredCatalogWarning"
HOOKS = "airbyte_cdk.test.standard_tests.pytest_hooks"
OPTIONS = ("-W", WARNING, "-k", "not docker", "-p", "no:cacheprovider", "-p", HOOKS)
EMPTY = "this sandbox has none"
RESULT = re.compile(r"^(PASSED|FAILED|ERROR) \S*::(\S+)", re.MULTILINE)


def program(side: str, mutant: str = "") -> list[str]:
    """The words that begin a source or a destination, which may have a mistake."""
    return [*(mistaken("tests.hosts.airbyte.mutants", mutant) if mutant else command()), "airbyte", side]


def suite(folder: Path, config: dict[str, Any], empty: list[str], mutant: str = "") -> dict[str, str]:
    """What each test of Airbyte's suite for sources came to: PASSED, FAILED or ERROR.

    Args:
        empty: the streams of which the API has nothing.
    """
    python = needed_judge(python_of("airbyte"))
    place = folder / "source-openai"
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / "suite.py", place / "test_suite.py")
    write_packages(folder, "openai-connector", "openai-connector:latest")
    (place / "config.json").write_text(json.dumps(config))
    wrong = {name: value for name, value in config.items() if name == "base_uri"}
    (place / "wrong.json").write_text(json.dumps(wrong))
    tests = {
        "spec": {"tests": [{"spec_path": "spec.json", "config_path": "config.json"}]},
        "connection": {
            "tests": [
                {"config_path": "config.json", "status": "succeed"},
                {"config_path": "wrong.json", "status": "failed"},
            ]
        },
        "discovery": {"tests": [{"config_path": "config.json"}]},
        "basic_read": {
            "tests": [
                {
                    "config_path": "config.json",
                    "empty_streams": [{"name": name, "bypass_reason": EMPTY} for name in empty],
                }
            ]
        },
    }
    document = {"connector_image": "openai-connector/source-openai:dev", "acceptance_tests": tests}
    (place / "acceptance-test-config.yml").write_text(json.dumps(document))
    asked = [python, "-m", "pytest", "-q", "-rA", *OPTIONS, "test_suite.py"]
    done = subprocess.run(
        [str(word) for word in asked],
        cwd=place, env=variables(SOURCE=shlex.join(program("source", mutant)), PYTHONPATH=str(ROOT), PYTEST_ADDOPTS=""),
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    (place / "said.txt").write_text(done.stdout + done.stderr)
    return {name: result for result, name in RESULT.findall(done.stdout)}


def tell_stories(folder: Path, scenarios: str = "fast", **sides: tuple[list[str], dict[str, Any]]) -> dict[str, Any]:
    """What PyAirbyte tells of a `source` and a `destination`, each a program and its configuration.

    The error in place of it when it gave up.

    Args:
        scenarios: of the smoke test of destinations: `all` has one more, with a thousand rows.
    """
    python = needed_judge(python_of("airbyte"))
    folder.mkdir(parents=True, exist_ok=True)
    asked: dict[str, Any] = {"scenarios": scenarios}
    for side, (words, config) in sides.items():
        executable = folder / f"{side}-openai"
        executable.write_text(f'#!/bin/sh\ncd {shlex.quote(str(ROOT))}\nexec {shlex.join(words)} "$@"\n')
        executable.chmod(0o755)
        asked[side] = {"program": str(executable), "config": config}
    done = subprocess.run(
        [str(python), str(HERE / "story.py"), json.dumps(asked)],
        cwd=folder,
        env=variables(AIRBYTE_OFFLINE_MODE="1", DO_NOT_TRACK="1", HOME=str(folder)),
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    (folder / "said.txt").write_text(done.stdout + done.stderr)
    last = done.stdout.strip().splitlines()[-1:] or [""]
    if done.returncode == 0 and last[0].startswith("{"):
        found: dict[str, Any] = json.loads(last[0])
        return found
    return {"error": (done.stderr or done.stdout)[-2000:]}
