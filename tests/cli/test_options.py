from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from typer import Argument, Option, Typer, echo
from typer.testing import CliRunner

from connector.cli.command import command
from connector.cli.options import ClientOptions


@dataclass(frozen=True, kw_only=True)
class Greeting:
    name: Annotated[str, Argument()]
    times: Annotated[int, Option("--times")] = 1
    loud: Annotated[bool, Option("--loud")] = False


def greet(options: Greeting) -> None:
    """Greet somebody."""
    echo(f"{options.name} {options.times} {options.loud}")


def run(*words: str, **decided: object) -> str:
    app = Typer()
    app.command()(command(greet, Greeting, **decided))
    return CliRunner().invoke(app, list(words)).output.strip()


def test_fields_are_options_and_reach_the_command_as_one_value() -> None:
    assert run("Ada") == "Ada 1 False"
    assert run("Ada", "--times", "2", "--loud") == "Ada 2 True"


def test_a_decided_field_is_no_option() -> None:
    assert run("Ada", loud=True) == "Ada 1 True"
    assert "No such option" in run("Ada", "--loud", loud=True)


def test_client_parameters_hold_what_was_given() -> None:
    options = ClientOptions(
        base_uri="http://127.0.0.1/v1", parameter=["region=eu", "limits.concurrency=4"], retries=0, header=["X-A: b"]
    )
    assert options.parameters(["/data/a.jsonl"]) == {
        "base_uri": "http://127.0.0.1/v1",
        "region": "eu",
        "limits": {"concurrency": 4},
        "retry": {"max_retries": 0},
        "file_roots": [".", "/data"],
    }
    assert options.headers() == {"X-A": "b"}
    assert ClientOptions().parameters([]) == {}
