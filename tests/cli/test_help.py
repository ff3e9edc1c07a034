"""Help as it is read: on a terminal of 80 columns, whole, under either spelling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from connector.cli.app import app

WIDTH = 80


def every(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command and group, by the words that reach it."""
    yield words
    for name, child in getattr(command, "commands", {}).items():
        yield from every(child, (*words, name))


COMMANDS = list(every(get_command(app)))


def shown(words: tuple[str, ...], option: str, width: int) -> str:
    done = CliRunner().invoke(app, [*words, option], terminal_width=width)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("width", [WIDTH, 40])
def test_nothing_is_cut(words: tuple[str, ...], width: int) -> None:
    text = shown(words, "--help", width)
    usage, _, rest = text.partition("\n\n")
    assert "…" not in text
    assert "..." not in rest, "a summary that was cut, or a value that is no word"
    assert usage.startswith("Usage: ")
    assert all(len(line) <= max(width, WIDTH) for line in text.splitlines())


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_both_spellings_show_the_same(words: tuple[str, ...]) -> None:
    assert shown(words, "-h", WIDTH) == shown(words, "--help", WIDTH)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_argument_and_option_says_what_it_is(words: tuple[str, ...]) -> None:
    command = get_command(app)
    for word in words:
        command = command.commands[word]  # type: ignore[attr-defined]  # groups have them
    silent = [parameter.name for parameter in command.params if not getattr(parameter, "help", None)]
    assert not silent
    assert command.help


def test_whether_json_is_wanted_is_open_unless_it_is_said() -> None:
    for words in COMMANDS:
        command = get_command(app)
        for word in words:
            command = command.commands[word]  # type: ignore[attr-defined]  # groups have them
        for parameter in command.params:
            if parameter.name == "json":
                assert parameter.default is None, words
                assert {*parameter.opts, *parameter.secondary_opts} == {"--json", "--text"}
