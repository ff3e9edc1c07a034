"""The chains of `transformers/`: declared in full, doing what their cases say, making what the catalogue accepts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from connector.catalogue import Catalogue
from connector.model_registry import load_registry
from connector.request import Preparer
from connector.request.model_rules import ModelRules
from connector.transform import compile_chain
from connector.transform.cases import read_cases, run_cases
from connector.transform.library import ready_made
from connector.yaml import read_yaml

CHAINS = list(ready_made())
REQUEST = ("path", "query", "payload", "headers")
FILES = ("audio.mp3", "image.png", "notes.txt")
"""What the cases name as files."""


def cases_of(name: str) -> list[dict[str, Any]]:
    path = ready_made().cases(name)
    cases: list[dict[str, Any]] = read_yaml(path.read_bytes(), path.name)
    return cases


def declared(name: str) -> Mapping[str, Any]:
    chain: Mapping[str, Any] = ready_made()[name]
    return chain


MAKING = [
    pytest.param(case["operation"], case["output"], id=f"{name}: {case['name']}")
    for name in CHAINS
    for case in cases_of(name)
    if "operation" in case
]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.open()


@pytest.fixture(scope="module")
def preparer(catalogue: Catalogue) -> Preparer:
    return Preparer(catalogue, ModelRules(load_registry(catalogue.folder)))


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in FILES:
        (tmp_path / name).write_bytes(b"0")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", CHAINS)
async def test_a_chain_does_what_its_cases_say(name: str) -> None:
    raw = [{key: value for key, value in case.items() if key != "operation"} for case in cases_of(name)]
    verdicts = await run_cases(name, read_cases(raw, name))
    assert len(verdicts) == len(raw)
    assert [f"{verdict.case}\n{verdict.difference}" for verdict in verdicts if not verdict.passed] == []


@pytest.mark.parametrize(("operation", "output"), MAKING)
@pytest.mark.usefixtures("files")
def test_the_catalogue_accepts_what_a_chain_makes(
    catalogue: Catalogue, preparer: Preparer, operation: str, output: dict[str, Any]
) -> None:
    request = {section: output[section] for section in REQUEST if section in output}
    wire = preparer.prepare(catalogue.find(operation), request)
    assert wire.method == "POST"
    assert wire.warnings == ()


@pytest.mark.parametrize("name", CHAINS)
def test_a_case_with_a_payload_names_its_operation(name: str) -> None:
    made = [case for case in cases_of(name) if "payload" in (case.get("output") or {})]
    assert [case["name"] for case in made if "operation" not in case] == []


FILLED = [
    pytest.param(name, operation, place, parameter, id=f"{name}: {operation} {place}")
    for name in CHAINS
    for operation, fields in (declared(name).get("makes") or {}).items()
    for place, parameter in fields.items()
]
GIVEN: Mapping[str, Any] = {"string": "x", "integer": 3, "number": 0.5, "boolean": True, "object": {"ttl": "30m"}}


@pytest.mark.parametrize(("name", "operation", "place", "parameter"), FILLED)
async def test_a_parameter_fills_the_field_that_its_chain_says(
    catalogue: Catalogue, name: str, operation: str, place: str, parameter: str
) -> None:
    kinds = declared(name)["parameters"]
    value = GIVEN[kinds[parameter]["type"]]
    given = {parameter: value} | ({"for": operation.split(maxsplit=1)[0]} if "for" in kinds else {})
    probe = {"prompt": "Hi", "image": "https://x.example/a.png", "file": "file-1", "question": "Is it?"}
    (made,) = await compile_chain([{name: given}]).aapply(probe)
    found: Any = made["payload"]
    for key in place.split("."):
        found = found[key]
    assert found == value
    assert catalogue.find(operation).method == "POST"


@pytest.mark.parametrize("name", [name for name in CHAINS if "makes" in declared(name)])
def test_a_chain_that_asks_a_model_has_effort_and_the_cache_as_fields(name: str) -> None:
    assert {"effort", "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options"} <= set(
        declared(name)["parameters"]
    )


@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_has_cases_of_several_kinds(name: str) -> None:
    cases = cases_of(name)
    names = [case["name"] for case in cases]
    assert len(names) == len(set(names)) >= 3
    assert any("output" in case or "outputs" in case for case in cases)
    assert any("skipped" in case or "failed" in case for case in cases)


@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_says_what_it_does_in_one_sentence(name: str) -> None:
    summary = declared(name)["summary"]
    assert re.fullmatch(r"[A-Z][^.]+\.", summary), summary
    assert declared(name).keys() <= {"summary", "description", "parameters", "makes", "steps"}


@pytest.mark.parametrize("name", CHAINS)
def test_parameters_say_what_they_are(name: str) -> None:
    parameters = declared(name).get("parameters") or {}
    assert parameters
    for parameter in parameters.values():
        assert parameter["type"]
        assert re.fullmatch(r".+\.", parameter["description"], re.DOTALL), parameter
        assert parameter.keys() <= {"type", "role", "description", "default"}


@pytest.mark.parametrize("name", CHAINS)
def test_every_parameter_is_used(name: str) -> None:
    """By its name, or with all the others where they become the document."""
    steps = str(declared(name)["steps"])
    for parameter in declared(name).get("parameters") or {}:
        assert re.search(rf"\b{parameter}\b", steps), parameter


@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_by_its_bare_name_compiles(name: str) -> None:
    required = {key for key, value in (declared(name).get("parameters") or {}).items() if "default" not in value}
    if required:
        compile_chain([{name: dict.fromkeys(required, 1)}])
    else:
        compile_chain(name)


def test_there_are_chains_and_nothing_but_chains() -> None:
    assert len(CHAINS) >= 28
    folder = ready_made().cases(CHAINS[0]).parent
    expected = {f"{name}{ending}" for name in CHAINS for ending in (".yaml", ".test.yaml")}
    assert {path.name for path in folder.iterdir()} == expected


@pytest.mark.parametrize("name", CHAINS)
def test_the_guide_names_every_chain(name: str) -> None:
    guide = Path(__file__).parents[2] / "docs" / "guides" / "chains.md"
    assert re.search(rf"^\|.*`{name}`", guide.read_text(encoding="utf-8"), re.MULTILINE)
