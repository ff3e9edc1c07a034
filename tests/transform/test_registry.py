"""What chains may be made of: ours, others' by entry point, described for schemas and docs."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import EntryPoint
from types import SimpleNamespace
from typing import Any

import pytest

from connector.errors import ConfigurationError, UnknownName
from connector.transform import Condition, Mapper, Step, compile_chain, describe, names, registry
from connector.transform.fields import text
from connector.transform.registry import build
from connector.transform.tokenizer import encoding_for


def shout(mark: Any) -> Any:
    return lambda value, scope: f"{value}{mark(value, scope)}"


SHOUT = Mapper("shout", "Shouts.", {"mark": text("With what.", default="!")}, shout, sole="mark")
TRIM = Mapper("another-trim", "Clashes.", {}, lambda: None, aliases=("trim",))
NO_STEP = Condition("odd", "Is no step.", {}, lambda: None)


def point(name: str) -> EntryPoint:
    made = EntryPoint(name, f"{__name__}:{name}", "openai_connector.mappers")
    object.__setattr__(made, "dist", SimpleNamespace(name="acme-steps", version="1.2"))
    vars(made)["load"] = lambda: globals()[name]
    return made


def test_others_bring_theirs_and_are_listed_with_their_origin() -> None:
    kinds = build()
    kinds.mappers.add_points([point("SHOUT")], Mapper)
    assert describe("mapper", "shout", kinds).origin == "acme-steps 1.2"
    assert describe("mapper", "trim", kinds).origin == "openai-connector"
    steps = [{"value-mapper": {"accessor": "a", "mappers": ["shout", {"shout": "?"}]}}]
    assert compile_chain(steps, kinds=kinds).apply({"a": "hé"}) == [{"a": "hé!?"}]


def test_a_name_that_is_taken_is_refused() -> None:
    kinds = build()
    with pytest.raises(
        ConfigurationError, match=r"two mappers are named 'trim', of openai-connector and of acme-steps 1\.2"
    ):
        kinds.mappers.add_points([point("TRIM")], Mapper)
    with pytest.raises(ConfigurationError, match="two mappers are named 'hash'"):
        kinds.mappers.add(Mapper("hash", "", {}, lambda: None))
    with pytest.raises(ConfigurationError, match="two steps are named 'list-transformer-wrapper'"):
        kinds.steps.add(Step("list-transformer-wrapper", "", {}, lambda: None))


def test_what_is_no_step_is_refused() -> None:
    with pytest.raises(
        ConfigurationError, match=r"'NO_STEP' of openai_connector.mappers is of type Condition, not a mapper"
    ):
        build().mappers.add_points([point("NO_STEP")], Mapper)


def test_every_declaration_describes_itself() -> None:
    for kind in ("step", "mapper", "condition", "accessor"):
        for name in names(kind):
            shown = describe(kind, name)
            assert shown.summary.endswith(".")
            assert shown.summary.count(". ") == 0
            assert all(row.summary.endswith(".") and row.kind for row in shown.fields), name
            assert not shown.sole or shown.sole in [row.name for row in shown.fields]


def test_a_description_has_what_a_page_shows() -> None:
    shown = describe("step", "list-transformer-wrapper")
    assert (shown.name, shown.aliases, shown.sole) == ("chain", ("list-transformer-wrapper",), "transformers")
    (row,) = [row for row in describe("step", "storage-save-entity-in-storage").fields if row.name == "storage_key"]
    assert (row.kind, row.summary, row.required, row.default) == (
        "a template",
        "The key; under an empty one made of ?{...} alone, nothing is found and kept.",
        True,
        None,
    )
    items = [row.name for row in describe("step", "value-setter").fields]
    assert items == ["configurations", "configurations[].key", "configurations[].value", "configurations[].mappers"]
    assert "else_cases[].filters" in [row.name for row in describe("step", "conditional").fields]
    with pytest.raises(UnknownName, match="did you mean 'value-setter'"):
        describe("step", "value-seter")


def test_the_registry_is_made_once() -> None:
    assert registry() is registry()


class Words:
    """An encoding of which every word is a token."""

    def encode(self, text: str, disallowed_special: Sequence[str] = ("all",)) -> list[str]:
        assert disallowed_special == ()
        return text.split(" ")

    def decode(self, tokens: list[str], errors: str = "strict") -> str:
        assert errors == "ignore"
        return " ".join(tokens)


@pytest.fixture
def tiktoken(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    import sys

    def for_model(model: str) -> Words:
        if model == "broken":
            raise OSError("no network")
        if model != "known":
            raise KeyError(model)
        return Words()

    library = SimpleNamespace(
        encoding_for_model=for_model, get_encoding=lambda name: Words() if name == "o200k_base" else None
    )
    monkeypatch.setitem(sys.modules, "tiktoken", library)
    encoding_for.cache_clear()
    return library


@pytest.mark.usefixtures("tiktoken")
@pytest.mark.parametrize(("model", "count"), [("known", 3), ("new-model", 3), ("broken", 4)])
def test_tokens_are_counted_by_the_models_own_encoding_where_there_is_one(model: str, count: int) -> None:
    steps = [{"tokens": {"source": "t", "model": model, "destination": "n"}}]
    assert compile_chain(steps).apply({"t": "one two threeé"}) == [{"t": "one two threeé", "n": count}]


@pytest.mark.usefixtures("tiktoken")
def test_tokens_are_cut() -> None:
    steps = [{"tokens": {"source": "t", "model": "known", "max": "&{most}", "destination": "cut"}}]
    (found,) = compile_chain(steps).apply({"t": "one two three", "most": 2})
    assert found["cut"] == "one two"
    (found,) = compile_chain(steps).apply({"t": "one two three", "most": 9})
    assert found["cut"] == "one two three"
