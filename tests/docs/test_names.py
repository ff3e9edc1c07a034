"""What the pages name exists: modules, files, classes and their attributes."""

from __future__ import annotations

import ast
import importlib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from connector import Outcome, plugins
from connector.hosts.temporal import error_types
from tests.docs.test_examples import ROOT

PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted(path for path in (ROOT / "docs").rglob("*.md") if "reference" not in path.parts),
]
FOLDERS = ("bench", "connector", "docker", "docs", "entities", "tests", "tools", "transformers")
BUILT = ("connector/studio/pages/",)
"""What is made, and not in git."""
FILES_OF_USERS = {"connector.db", "connector.schema", "connector.yaml"}
ELSEWHERE = {
    "QueueManager": "of pgqueuer",
    "SchedulerManager": "of pgqueuer",
    "DestinationTerminalException": "of dlt",
    "DestinationTransientException": "of dlt",
    "CreateEmbeddings": "the name of an operation",
    "RetrieveFile": "the name of an operation",
    "UploadFile": "the name of an operation",
    **dict.fromkeys(
        [getattr(error_types, name) for name in error_types.__all__], "the type of an error of Temporal's activities"
    ),
}
VARIABLES = {
    "context": [plugins.SubscriberContext, plugins.PublisherContext],
    "outcome": [Outcome],
}
"""The names of variables in prose, with the types of what they hold."""


def pages(pattern: str) -> Iterator[tuple[str, re.Match[str]]]:
    """Where a pattern occurs between the backticks of a page's prose."""
    for page in PAGES:
        prose = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
        for code in re.findall(r"`([^`\n]+)`", prose):
            yield from ((page.relative_to(ROOT).as_posix(), match) for match in re.finditer(pattern, code))


BUILT = ("connector/studio/pages/",)
"""What is built here, and so is not there where it cannot be built."""


def test_modules_and_their_names_can_be_imported() -> None:
    found = [(page, match[0]) for page, match in pages(r"(?<![\w./])connector(\.\w+)+")]
    assert len(found) > 5
    missing = {
        each
        for each in found
        if not any(each[1].startswith(file) for file in FILES_OF_USERS) and not _is_importable(each[1])
    }
    assert missing == set()


def test_files_and_folders_of_the_project_are_there() -> None:
    pattern = rf"(?<![\w./-])(?:(?:{'|'.join(FOLDERS)})/[\w/.-]*|[\w/]+/\w+\.py)"
    found = [
        (page, match)
        for page, match in pages(pattern)
        if not re.search(r"[A-Z]{3}", match[0]) and match[0] not in BUILT
    ]
    assert len(found) > 20
    assert {(page, match[0]) for page, match in found if _path(match[0]) is None and match[0] not in BUILT} == set()


def test_files_have_the_functions_that_are_named_with_them() -> None:
    found = [(page, match) for page, match in pages(r"([\w/]+/\w+\.py): (\w+)")]
    assert found
    for page, match in found:
        path = _path(match[1])
        assert path is not None, (page, match[0])
        defined = [each.name for each in ast.walk(ast.parse(path.read_bytes())) if isinstance(each, _DEFINITIONS)]
        assert match[2] in defined, (page, match[0])


def test_classes_and_their_attributes_exist() -> None:
    found = [(page, match) for page, match in pages(r"(?<![\w.:])([A-Z][a-z]\w*)\.([a-z]\w*)")]
    camel = [(page, match) for page, match in pages(r"^([A-Z][a-z]+[A-Z]\w+)$")]
    assert found
    assert camel
    known = _classes()
    missing = {(page, match[0]) for page, match in found if match[2] not in known.get(match[1], set())}
    missing |= {(page, match[0]) for page, match in camel if match[1] not in known and match[1] not in ELSEWHERE}
    assert missing == set()


@pytest.mark.parametrize("variable", VARIABLES)
def test_attributes_of_variables_exist(variable: str) -> None:
    found = [(page, match) for page, match in pages(rf"^{variable}\.([a-z]\w*)")]
    assert found
    known = {name for kind in VARIABLES[variable] for name in (*dir(kind), *getattr(kind, "__annotations__", ()))}
    assert {(page, match[0]) for page, match in found if match[1] not in known} == set()


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _is_importable(name: str) -> bool:
    module, _, last = name.rpartition(".")
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        return bool(module) and hasattr(importlib.import_module(module), last)
    return True


def _path(name: str) -> Path | None:
    """Return a path of the project; inside the package its name may be left out."""
    return next((path for path in (ROOT / name, ROOT / "connector" / name) if path.exists()), None)


@cache
def _classes() -> Mapping[str, set[str]]:
    """The classes of the package by name, with their methods and fields; and the public names that are no classes."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for path in (ROOT / "connector").rglob("*.py"):
        for each in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(each, ast.ClassDef):
                found[each.name] |= set(_members(each))
    for name in plugins.__all__:
        found[name] |= set(dir(getattr(plugins, name)))
    return found


def _members(node: ast.ClassDef) -> Iterator[str]:
    for each in node.body:
        if isinstance(each, _DEFINITIONS):
            yield each.name
        elif isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
            yield each.target.id
