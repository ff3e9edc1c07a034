"""The sandbox's modules form layers: none imports itself by way of others, not even for types alone."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

import grimp
import pytest

PACKAGE = "connector.sandbox"

Imports = Mapping[str, set[str]]


def find_cycle(imports: Imports) -> list[str]:
    """Return the modules of one import cycle, or none where there is no cycle."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return error.args[1]
    return []


@pytest.mark.parametrize(
    ("imports", "cycle"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, set()),
        ({"a": {"b", "c"}, "b": {"c"}, "c": set()}, set()),
        ({"a": {"b"}, "b": {"c"}, "c": {"b"}}, {"b", "c"}),
        ({"a": {"b"}, "b": {"c"}, "c": {"a"}}, {"a", "b", "c"}),
    ],
)
def test_a_cycle_is_found(imports: Imports, cycle: set[str]) -> None:
    assert set(find_cycle(imports)) == cycle


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = grimp.build_graph("connector", exclude_type_checking_imports=False, cache_dir=None)
    modules = {module for module in graph.modules if module.startswith(f"{PACKAGE}.")}
    assert len(modules) > 50
    imports = {module: graph.find_modules_directly_imported_by(module) for module in modules}
    assert find_cycle(imports) == []
