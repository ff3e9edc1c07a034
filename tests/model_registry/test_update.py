"""A registry made from newer sources: what is read, what is different, and what broken input does."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from connector.cli import main
from connector.declarations import folder
from connector.errors import ConfigurationError
from connector.model_registry import load_registry
from connector.model_registry.load import COMPILED, OVERLAY, REGISTRY, compile_registry
from connector.model_registry.price_source import read_price_facts
from connector.model_registry.sdk_source import read_sdk_facts
from connector.model_registry.update import account_shutdowns
from connector.yaml import DECLARATIONS, read_yaml
from tests.model_registry.sources import CHAT_MODELS, PRICES, price_wheel, sdk_wheel

OVERLAY_TEXT = """
as_of: 2030-01-01
roles: {text: gpt-9}
families: [{names: ["gpt-*"], kind: text}, {names: ["listen*"], kind: transcription}]
models: {gpt-8: {successor: gpt-9}}
"""


@pytest.fixture
def entities(tmp_path):
    path = tmp_path / "entities"
    (path / "models").mkdir(parents=True)
    (path / OVERLAY).write_text(OVERLAY_TEXT)
    (path / REGISTRY).write_text("as_of: 2029-01-01\nmodels:\n  gpt-6-kept: {kind: text}\n  gpt-9: {kind: text}\n")
    return path


def run(monkeypatch, capsys, *words):
    monkeypatch.setattr("sys.argv", ["openai-connector", "models", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code or 0, *capsys.readouterr()


def update(monkeypatch, capsys, entities, tmp_path, *more):
    sources = ("--sdk", sdk_wheel(tmp_path), "--prices", price_wheel(tmp_path))
    return run(monkeypatch, capsys, "update", *sources, "--entities", entities, "--into", entities, *more)


def test_prices_are_read_from_a_wheel_that_is_never_run(tmp_path):
    facts = read_price_facts(price_wheel(tmp_path))
    assert facts.version == "1.2.3"
    assert facts.models["gpt-9"] == {
        "aliases": ["gpt-9-2030-01-01"],
        "context": 1000,
        "prices": [
            {"input": 2.0, "output": 8.0},
            {
                "since": "2030-02-01",
                "input": 1.0,
                "cached_input": 0.1,
                "output": 4.0,
                "above": {"tokens": 100, "input": 2.0, "output": 6.0},
            },
        ],
        "tiers": {"batch": {"since": "2030-03-01", "factor": 0.5}, "priority": {"input": 3.0, "output": 9.0}},
    }
    assert facts.models["listen-1"] == {"prices": [{"audio_hours": 0.3}]}
    assert facts.models["judge"] == {"free": True}
    assert facts.unread == ["gpt-9: prices when region is moon", "judge: names by ClauseContains"]


def test_ends_of_life_are_read_from_a_wheel_that_is_never_run(tmp_path):
    facts = read_sdk_facts(sdk_wheel(tmp_path))
    assert facts.version == "9.9.9"
    assert facts.kinds["gpt-9"] == "text"
    june = date(2030, 6, 30)
    assert facts.shutdowns == {"gpt-8": june, "gpt-8-2029-01-01": june, "gpt-7-old": date(2029, 5, 12)}


def test_a_folder_is_read_as_its_wheel_is(tmp_path):
    from zipfile import ZipFile

    for name, read in (("sdk", read_sdk_facts), ("prices", read_price_facts)):
        wheel = sdk_wheel(tmp_path) if name == "sdk" else price_wheel(tmp_path)
        ZipFile(wheel).extractall(tmp_path / name)
        assert read(tmp_path / name) == read(wheel)


def test_an_update_is_written_with_its_difference_and_is_the_registry_from_then_on(
    monkeypatch, capsys, entities, tmp_path
):
    code, out, err = update(monkeypatch, capsys, entities, tmp_path)
    assert code == 0
    assert "+ gpt-8\n" in out
    assert "~ gpt-9: context null -> 1000\n" in out
    assert "gpt-6-kept" not in out
    assert "not taken over: gpt-9: prices when region is moon" in err
    registry = load_registry(entities)
    assert registry.find("gpt-8").shutdown == date(2030, 6, 30)
    assert registry.find("gpt-8").successor == "gpt-9"
    assert registry.find("gpt-7-old").life_cycle(date(2030, 1, 1)) == "retired"
    assert registry.find("gpt-6-kept") is not None
    assert registry.find("listen-1").kind == "transcription"
    assert update(monkeypatch, capsys, entities, tmp_path)[1] == ""


def test_a_check_writes_nothing(monkeypatch, capsys, entities, tmp_path):
    before = (entities / REGISTRY).read_bytes()
    code, out, _ = update(monkeypatch, capsys, entities, tmp_path, "--check")
    assert (code, "+ gpt-8" in out) == (1, True)
    assert (entities / REGISTRY).read_bytes() == before
    assert not (entities / COMPILED).exists()


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (lambda folder: ("--prices", price_wheel(folder, "providers = [")), "is not Python that can be read"),
        (lambda folder: ("--prices", price_wheel(folder, "providers = []")), "has no provider 'openai'"),
        (lambda folder: ("--prices", price_wheel(folder, "Provider(id='openai', models=[])")), "has no models"),
        (lambda folder: ("--prices", _text(folder / "x.whl")), "no wheel or folder of genai-prices"),
        (lambda folder: ("--sdk", sdk_wheel(folder, "x = 1", "1.0")), "no list of models"),
        (lambda folder: ("--sdk", folder / "gone.whl"), "gone.whl: no such wheel or folder"),
    ],
)
def test_broken_input_changes_nothing(monkeypatch, capsys, entities, tmp_path, broken, message):
    before = (entities / REGISTRY).read_bytes()
    sources = {"--sdk": sdk_wheel(tmp_path), "--prices": price_wheel(tmp_path)}
    other = tmp_path / "other"
    other.mkdir()
    option, value = broken(other)
    words = [each for pair in {**sources, option: value}.items() for each in pair]
    code, _, err = run(monkeypatch, capsys, "update", *words, "--entities", entities, "--into", entities)
    assert code == 2
    assert message in err
    assert "Traceback" not in err
    assert (entities / REGISTRY).read_bytes() == before


def _text(path: Path) -> Path:
    path.write_text("no archive")
    return path


def test_a_wrong_fact_by_hand_changes_nothing(monkeypatch, capsys, entities, tmp_path):
    (entities / OVERLAY).write_text("as_of: 2030-01-01\nmodels: {gpt-9: {shutdown: never}}\n")
    before = (entities / REGISTRY).read_bytes()
    code, _, err = update(monkeypatch, capsys, entities, tmp_path)
    assert code == 2
    assert "models.gpt-9.shutdown: found 'never'; a day such as" in err
    assert (entities / REGISTRY).read_bytes() == before


def test_an_account_says_when_its_models_stop():
    answer = {
        "data": [{"id": "a", "shutdown_date": "2030-01-02"}, {"id": "b", "shutdown_date": None}, {"id": "ft:a:x"}]
    }
    assert account_shutdowns(answer) == {"a": date(2030, 1, 2), "b": None}
    with pytest.raises(ConfigurationError, match="a: found shutdown_date 'soon'"):
        account_shutdowns({"data": [{"id": "a", "shutdown_date": "soon"}]})


def test_a_registry_that_was_edited_is_read_anew(entities):
    text = (entities / REGISTRY).read_bytes()
    (entities / COMPILED).write_bytes(compile_registry(text, read_yaml(text, "x", DECLARATIONS)))
    assert len(load_registry(entities)) == 2
    (entities / REGISTRY).write_bytes(text + b"  gpt-10: {kind: text}\n")
    assert len(load_registry(entities)) == 3
    (entities / COMPILED).write_text("{")
    assert len(load_registry(entities)) == 3


def test_the_compiled_registry_that_ships_is_that_of_its_text():
    entities = folder("entities")
    compiled = json.loads((entities / COMPILED).read_bytes())
    text = (entities / REGISTRY).read_bytes()
    assert compiled == json.loads(compile_registry(text, read_yaml(text, "x", DECLARATIONS)))


def test_dates_and_names_survive_the_text(tmp_path):
    chat = CHAT_MODELS.replace("2030-06-30", "2031-01-01")
    assert read_sdk_facts(sdk_wheel(tmp_path, chat)).shutdowns["gpt-8"] == date(2031, 1, 1)
    assert "gpt-9" in PRICES
