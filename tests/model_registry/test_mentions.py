"""Models in files: found as names, told with their successors, rewritten in place."""

from __future__ import annotations

from datetime import date

import pytest

from connector.cli import main
from connector.model_registry.load import registry_of
from connector.model_registry.mentions import find_mentions, price_change, replace_mentions, text_files

TODAY = date(2026, 11, 28)
REGISTRY = registry_of(
    {
        "as_of": "2026-11-28",
        "models": {
            "gpt-5-mini": {
                "kind": "text", "shutdown": "2026-12-11", "successor": "gpt-6.1-terra",
                "prices": [{"input": 0.25, "output": 2}],
            },
            "gpt-6.1-terra": {"kind": "text", "prices": [{"input": 1, "output": 5}]},
            "o3": {"kind": "text", "shutdown": "2026-12-11", "successor": "gpt-6.1-terra"},
            "tts-1": {"kind": "speech", "shutdown": "2027-01-06", "successor": "gpt-realtime-2.1"},
            "gpt-realtime-2.1": {"kind": "realtime"},
            "gpt-5.1": {"kind": "text", "shutdown": "2027-04-01"},
        },
    },
    "here",
)  # fmt: skip


def found(tmp_path, text, within=90):
    path = tmp_path / "a.yaml"
    path.write_text(text)
    return [(each.line, each.column, each.name) for each in find_mentions(path, REGISTRY, TODAY, within)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("model: gpt-5-mini\n", [(1, 8, "gpt-5-mini")]),
        ('{"model":"gpt-5-mini-2025-08-07"}', [(1, 11, "gpt-5-mini-2025-08-07")]),
        ("model: ft:gpt-5-mini:acme::1", [(1, 8, "ft:gpt-5-mini:acme::1")]),
        ("model: o3", [(1, 8, "o3")]),
        ("the molecule o3 is ozone", []),
        ("my-gpt-5-mini and gpt-5-minis and gpt-5-mini-x", []),
        ("see https://example.com/gpt-5-mini", []),
        ("`gpt-5-mini`, and gpt-5-mini.", [(1, 2, "gpt-5-mini"), (1, 19, "gpt-5-mini")]),
        ("model: gpt-6.1-terra", []),
        ("model: gpt-5.1", []),
    ],
)  # fmt: skip
def test_models_are_found_as_names(tmp_path, text, names):
    assert found(tmp_path, text) == names


def test_how_long_before_its_end_a_model_is_told_is_a_choice(tmp_path):
    assert found(tmp_path, "model: gpt-5.1", within=200) == [(1, 8, "gpt-5.1")]
    assert found(tmp_path, "model: gpt-5-mini", within=5) == []


def test_successors_are_written_in_place_and_everything_else_stays(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("# gpt-5-mini, as ever\nsteps: [{model: gpt-5-mini}, {model: 'gpt-5-mini'}]  # why\nvoice: tts-1\n")
    text, diff = replace_mentions(path, find_mentions(path, REGISTRY, TODAY, 90))
    assert text == (
        "# gpt-6.1-terra, as ever\nsteps: [{model: gpt-6.1-terra}, {model: 'gpt-6.1-terra'}]  # why\nvoice: tts-1\n"
    )
    assert "-# gpt-5-mini, as ever\n+# gpt-6.1-terra, as ever\n" in diff.replace(
        "-steps: [{model: gpt-5-mini}, {model: 'gpt-5-mini'}]  # why\n", ""
    )


def test_prices_are_compared():
    mini, terra = REGISTRY.require("gpt-5-mini"), REGISTRY.require("gpt-6.1-terra")
    assert price_change(mini, terra) == "input 0.25 -> 1, output 2 -> 5"
    assert price_change(REGISTRY.require("o3"), terra) == ""


def test_folders_are_searched_for_text_and_not_for_what_was_installed(tmp_path):
    for name in ("a.yaml", "b/c.md", "node_modules/x.json", "b/.git/config.yaml", "b/photo.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("gpt-5-mini")
    assert [path.relative_to(tmp_path).as_posix() for path in text_files([tmp_path])] == ["a.yaml", "b/c.md"]


def run(monkeypatch, capsys, *words):
    monkeypatch.setattr("sys.argv", ["openai-connector", "models", "check", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code or 0, *capsys.readouterr()


def test_the_command_says_what_retires_and_rewrites_it(monkeypatch, capsys, tmp_path):
    path = tmp_path / "connector.yaml"
    path.write_text("model: gpt-5-mini  # cheap\n")
    code, out, _ = run(monkeypatch, capsys, tmp_path, "--today", "2026-11-28", "--json")
    assert code == 1
    assert '"model":"gpt-5-mini"' in out
    assert '"successor":"gpt-6.1-terra"' in out
    code, out, _ = run(monkeypatch, capsys, tmp_path, "--today", "2026-11-28", "--diff")
    assert code == 1
    assert path.read_text() == "model: gpt-5-mini  # cheap\n"
    assert "+model: gpt-6.1-terra  # cheap" in out
    assert run(monkeypatch, capsys, tmp_path, "--today", "2026-11-28", "--apply")[0] == 0
    assert path.read_text() == "model: gpt-6.1-terra  # cheap\n"
    code, _, err = run(monkeypatch, capsys, tmp_path, "--today", "2026-11-28")
    assert (code, "no model retires within 90 days" in err) == (0, True)
