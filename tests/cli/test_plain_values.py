"""Values that skip Typer's adapters are those that the adapters would have given."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pytest
from typer import Option
from typer.testing import CliRunner

from connector.cli.command import group

PLAIN = group("Plain values.", name="plain")
TYPERS = group("The same, all of them by way of Typer.", name="typers")
GIVEN: list[dict[str, Any]] = []


def take(
    text: str | None = None,
    texts: Annotated[list[str] | None, Option()] = None,
    number: Annotated[int, Option(min=1)] = 3,
    share: float | None = None,
    numbers: Annotated[list[int] | None, Option()] = None,
    where: Path | None = None,
    flag: bool = False,
    either: Annotated[bool | None, Option("--yes/--no")] = None,
) -> None:
    GIVEN.append(dict(locals()))


for each in (PLAIN, TYPERS):
    each.command("take")(take)
    each.command("other")(take)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "--text a",
        "--text ''",
        "--texts a --texts b",
        "--number 7 --share 0.5",
        "--number 0",
        "--number many",
        "--share much",
        "--numbers 1 --numbers 2",
        "--numbers 1 --numbers two",
        "--where somewhere/else",
        "--where .",
        "--where /dev/null",
        "--where ~",
        "--where ''",
        "--flag --no",
        "--yes",
        "--text",
        "--unknown",
    ],
)
def test_values_are_those_of_typer(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = _take(PLAIN, words)
    monkeypatch.setattr("connector.cli.command.skip_adapters", list)
    assert _take(TYPERS, words) == quick


def _take(app: Any, words: str) -> tuple[int, str, list[dict[str, Any]]]:
    GIVEN.clear()
    done = CliRunner().invoke(app, f"take {words}")
    return done.exit_code, done.output.replace("typers", "plain"), list(GIVEN)
