"""What other distributions bring: refused by name when it clashes, cannot be loaded or is something else."""

from __future__ import annotations

import ast
import inspect
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import pytest

from connector import plugins
from connector.errors import ConfigurationError
from connector.http.prototypes import prototypes as clients
from connector.plugins import GROUPS
from connector.publishers import prototypes as publishers
from connector.registry import Registry
from connector.subscribers import prototypes as subscribers
from connector.transform.registry import build

EXAMPLE = Path(__file__).parents[1] / "docs" / "examples" / "mailbox-plugin"


class Kind:
    name = "mailbox"


FIRST, SECOND = Kind(), Kind()
BROKEN = "tests.a_module_that_is_not_there:KIND"


def point(target: str, distribution: str, version: str = "1.0") -> EntryPoint:
    made = EntryPoint("mailbox", f"{__name__}:{target}" if target.isidentifier() else target, "acme.things")
    vars(made)["dist"] = SimpleNamespace(name=distribution, version=version)
    return made


def test_two_distributions_that_bring_one_name_are_both_named() -> None:
    registry: Registry[Kind] = Registry("thing")
    with pytest.raises(
        ConfigurationError, match=r"two things are named 'mailbox', of acme 1\.0 and of other 2\.0: remove one of them"
    ):
        registry.add_points([point("FIRST", "acme"), point("SECOND", "other", "2.0")], Kind)


def test_what_cannot_be_loaded_names_its_distribution_and_the_reason() -> None:
    with pytest.raises(
        ConfigurationError,
        match=r"entry point 'mailbox' of acme\.things cannot be loaded"
        r" \(ModuleNotFoundError: .*a_module_that_is_not_there.*\): repair acme 1\.0 or uninstall it",
    ):
        Registry[Kind]("thing").add_points([point(BROKEN, "acme")], Kind)


def test_what_is_something_else_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"is of type str, not a thing: correct acme 1\.0 or uninstall it"):
        Registry[Kind]("thing").add_points([point("BROKEN", "acme")], Kind)


def test_the_groups_are_those_that_are_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every registry asks for its group with the type that an author is told."""
    asked: dict[str, type] = {}
    monkeypatch.setattr(Registry, "add_installed", lambda self, group, expected: asked.update({group: expected}))
    clients(), subscribers(), publishers(), build()
    assert asked == dict(GROUPS)


def test_every_name_for_authors_has_a_docstring_and_the_example_imports_nothing_else() -> None:
    for name in plugins.__all__:
        value = getattr(plugins, name)
        assert name in {"GROUPS", "JSON", "Secret"} or inspect.getdoc(value), name
    imported = {
        (node.module, alias.name)
        for path in EXAMPLE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("connector")
        for alias in node.names
    }
    assert {module for module, _ in imported} == {"connector.plugins"}
    assert {name for _, name in imported} <= set(plugins.__all__)
