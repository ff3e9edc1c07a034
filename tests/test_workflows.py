"""What stands beside the code names only what there is, and may do no more than it needs: workflows, hooks, forms."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.yaml import CONFIGURATION, read_yaml
from tests.installed import ROOT

GITHUB = ROOT / ".github"
pytestmark = pytest.mark.skipif(not GITHUB.is_dir(), reason="a source distribution has no .github")

WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = sorted(path for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
TARGETS = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))
WRITES = {
    ("release", "publish"): {"id-token": "write", "attestations": "write"},
    ("site", "deploy"): {"pages": "write", "id-token": "write"},
}
"""The jobs that may do more than read the repository, and what."""
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")


def read(path: Path) -> Any:
    return read_yaml(path.read_text(encoding="utf-8"), path.name, CONFIGURATION)


def jobs() -> Iterator[tuple[str, str, Any]]:
    for path in WORKFLOWS:
        for name, job in read(path)["jobs"].items():
            yield path.stem, name, job


JOBS = list(jobs())
EVERY_JOB = pytest.mark.parametrize(("workflow", "name", "job"), JOBS, ids=[f"{flow}-{name}" for flow, name, _ in JOBS])


def made(job: Any) -> list[str]:
    """The make targets that a job calls."""
    return [target for step in job["steps"] for target in re.findall(r"\bmake ([a-z-]+)", step.get("run", ""))]


def pythons(job: Any) -> list[str]:
    found = job.get("strategy", {}).get("matrix", {}).get("python")
    if found:
        return list(found)
    return [step["with"]["python-version"] for step in job["steps"] if "setup-python" in step.get("uses", "")]


@EVERY_JOB
def test_a_job_ends_calls_targets_that_exist_and_nothing_of_strangers(workflow: str, name: str, job: Any) -> None:
    assert job["timeout-minutes"] <= 90
    assert set(made(job)) <= TARGETS, (workflow, name)
    for step in job["steps"]:
        assert not re.search(r"\$\{\{.*(event|head_ref)", step.get("run", "")), "text of strangers in a shell"
        if "checkout" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False


@EVERY_JOB
def test_a_job_may_do_no_more_than_it_needs(workflow: str, name: str, job: Any) -> None:
    assert job.get("permissions", {}) == WRITES.get((workflow, name), {})


@pytest.mark.parametrize("path", WORKFLOWS, ids=[path.stem for path in WORKFLOWS])
def test_a_workflow_reads_only_and_pins_what_it_uses(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] == {"contents": "read"}
    assert "pull_request_target" not in workflow["on"]
    used = [line.split("uses:")[1].strip() for line in path.read_text(encoding="utf-8").splitlines() if "uses:" in line]
    for line in used:
        action, _, version = line.partition(" # ")
        assert PINNED.fullmatch(action), line
        assert re.fullmatch(r"v\d+\.\d+\.\d+", version), f"{line}: say which version the commit is"


def test_every_python_that_is_promised_is_tested_and_no_other() -> None:
    promised = [
        found[1] for text in PROJECT["classifiers"] if (found := re.fullmatch(r".*:: Python :: (3\.\d+)", text))
    ]
    assert PROJECT["requires-python"] == f">={promised[0]}"
    tested = {(flow, name): pythons(job) for flow, name, job in JOBS}
    assert tested["ci", "test"] == tested["release", "test"] == promised
    assert {version for versions in tested.values() for version in versions if "$" not in version} <= set(promised)


def test_ci_runs_what_must_hold_before_a_change_lands() -> None:
    landing = set(re.findall(r"(?m)\bmake ([a-z-]+)", (ROOT / ".ci" / "run").read_text(encoding="utf-8")))
    called = {target for flow, _, job in JOBS if flow == "ci" for target in made(job)}
    # Each target makes `setup` itself.
    assert landing - {"setup"} <= called


def test_tests_have_their_services_or_fail() -> None:
    ci = read(GITHUB / "workflows" / "ci.yml")
    assert ci["env"]["CONNECTOR_REQUIRE_SERVICES"] == "1"
    port = re.search(r":(\d+)/", ci["env"]["CONNECTOR_TEST_POSTGRES"])
    for name in ("test", "coverage"):
        job = ci["jobs"][name]
        assert port
        assert job["services"]["postgresql"]["ports"] == [f"{port[1]}:5432"]
        assert "nginx-light" in "".join(step.get("run", "") for step in job["steps"])


def test_what_is_published_was_built_once_and_tried() -> None:
    release = read(GITHUB / "workflows" / "release.yml")["jobs"]
    assert [name for name, job in release.items() if "dist" in made(job)] == ["build"]
    assert release["publish"]["needs"] == "test"
    assert release["test"]["needs"] == "build"
    assert made(release["test"]) == ["dist-check"]
    publishing = [step["uses"].partition("@")[0] for step in release["publish"]["steps"]]
    # Nothing of the repository runs where the identity to publish is.
    assert publishing == [
        "actions/download-artifact",
        "actions/attest-build-provenance",
        "pypa/gh-action-pypi-publish",
    ]
    assert "secrets." not in (GITHUB / "workflows" / "release.yml").read_text(encoding="utf-8")


def test_updates_are_looked_for_where_versions_are_pinned() -> None:
    updates = read(GITHUB / "dependabot.yml")["updates"]
    assert {update["package-ecosystem"] for update in updates} == {"pip", "github-actions", "docker"}
    assert all(update["directory"] == "/" and update["schedule"]["interval"] == "weekly" for update in updates)


@pytest.mark.parametrize("path", FORMS, ids=[path.stem for path in FORMS])
def test_a_form_can_be_filled_in(path: Path) -> None:
    form = read(path)
    assert form["name"]
    assert form["description"]
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    assert all(field["type"] in {"textarea", "input", "dropdown"} and field["attributes"]["label"] for field in fields)
    names = [field["id"] for field in fields]
    assert len(names) == len(set(names))
    assert any(field.get("validations", {}).get("required") for field in fields)
    for field in fields:
        assert field["type"] != "dropdown" or all(isinstance(option, str) for option in field["attributes"]["options"])


def test_there_is_a_form_for_each_kind_of_issue() -> None:
    assert [path.stem for path in FORMS] == ["bug", "feature", "question"]


def test_hooks_run_pinned_tools_and_fetch_nothing() -> None:
    (repository,) = read(ROOT / ".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert re.search(r"(?m)^ruff==", lock)
    assert re.search(r"(?m)^import-linter==", lock)
    for hook in repository["hooks"]:
        program = hook["entry"].split()[0]
        assert hook["language"] == "system"
        assert program in {".venv/bin/ruff", ".venv/bin/lint-imports", ".venv/bin/python"}
