"""The package keeps its form: modules form no circle, files and functions stay short, modules are called by nouns."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp

PACKAGE = Path(__file__).parents[1] / "connector"
LINES_OF_A_FILE = 400
LINES_OF_A_FUNCTION = 60

NOUNS_IN_ING = {
    "accounting": "the noun of the field: usage accounting",
    "blocking": "a public name: `connector.blocking` is the opposite of async",
    "encoding": "a noun: Base64 is an encoding",
    "housekeeping": "the noun of the field for purges and checkpoints",
    "incoming": "the name of a section of the configuration",
    "loading": "the noun of the field: the loading of a configuration",
    "mapping": "the name of a step, and a noun",
    "outgoing": "the name of a section of the configuration",
    "pending": "an adjective: usage that is not yet known",
    "reading": "a noun: one reading of an incoming connection",
    "routing": "the noun of the field",
    "testing": "what the command `test` runs; `click.testing` is called so too",
    "timing": "clocks, time-outs and waits",
    "tracing": "the noun of the field",
    "training": "a noun: the training of a fine-tuned model",
    "tuning": "fine-tuning, a name of the API",
}
"""The words in `-ing` that modules may be called by; each is a noun, for the reason given."""


def test_modules_form_no_circle() -> None:
    """Import lines count wherever they are: at the top, in a function, for types alone."""
    graph = grimp.build_graph("connector", cache_dir=None, exclude_type_checking_imports=False)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert len(imports) > 300
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        raise AssertionError(f"a circle: {' → '.join(reversed(error.args[1]))}") from None


def test_no_file_is_long() -> None:
    lengths = {_place(path): len(path.read_text(encoding="utf-8").splitlines()) for path in _files()}
    assert {place: lines for place, lines in lengths.items() if lines > LINES_OF_A_FILE} == {}


def test_no_function_is_long() -> None:
    found = {
        f"{_place(path)}:{function.name}": lines
        for path in _files()
        for function in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (function.end_lineno or 0) - function.lineno + 1) > LINES_OF_A_FUNCTION
    }
    assert found == {}


def test_no_module_is_called_by_a_gerund() -> None:
    names = {path.stem if path.name != "__init__.py" else path.parent.name for path in _files()}
    gerunds = {word for name in names for word in name.split("_") if word.endswith("ing")}
    assert gerunds == set(NOUNS_IN_ING)


def _files() -> Iterator[Path]:
    return PACKAGE.rglob("*.py")


def _place(path: Path) -> str:
    return path.relative_to(PACKAGE.parent).as_posix()
