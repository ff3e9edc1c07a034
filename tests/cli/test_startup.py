"""How little is loaded for `--help`, and for the options of commands."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from typing import Any

import pytest
from typer.main import get_command

from connector.cli.app import app
from connector.cli.command_table import COMMANDS

RUN = """
import json, sys
from connector.cli import main
try:
    main()
except SystemExit:
    print("\\n" + json.dumps([name for name, module in sys.modules.items() if module is not None]))
"""
COMMAND_MODULES = """
import json, sys
from importlib import import_module
from connector.cli.command_table import COMMANDS
for entry in COMMANDS.values():
    import_module(f"connector.cli.{entry.module}")
print(json.dumps(list(sys.modules)))
"""
ROOMS = {"cli", "declarations", "documents", "errors", "extras", "model", "offline", "suggestions", "terminal"}
"""What the options of all commands may load of the connector, before a command runs."""
MODULES = {
    "cli",
    "cli.app",
    "cli.command",
    "cli.command_table",
    "cli.plain_values",
    "cli.quick_start",
    "errors",
    "model",
    "suggestions",
}
"""What `--help` may load of the connector."""
HEAVY = {"pydantic", "pydantic_core", "jsonschema", "httpx", "aiohttp", "rich", "ruamel", "jmespath", "apsw"}


def test_help_loads_the_table_and_no_command() -> None:
    loaded = _loaded(RUN, "--help")
    assert {name.partition(".")[2] for name in loaded if name.startswith("connector.")} <= MODULES
    assert not {name.partition(".")[0] for name in loaded} & {*HEAVY, "asyncio"}


def test_commands_load_small_things_alone_before_they_run() -> None:
    loaded = _loaded(COMMAND_MODULES)
    assert {name.split(".")[1] for name in loaded if name.startswith("connector.")} <= ROOMS
    assert not {name.partition(".")[0] for name in loaded} & HEAVY


def test_a_list_of_the_catalogue_loads_nothing_that_checks_configurations() -> None:
    loaded = _loaded(RUN, "entities", "list", "--search", "upload", "--json")
    assert "connector.catalogue.catalogue" in loaded
    assert not {name.partition(".")[0] for name in loaded} & HEAVY


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_of_a_command_what_its_own_help_says(name: str) -> None:
    group: Any = get_command(app)
    command = group.commands[name]
    assert command.name == name
    first = inspect.cleandoc(command.help or "").partition("\n\n")[0]
    assert COMMANDS[name].summary == " ".join(first.split())


def _loaded(program: str, *words: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=True)
    loaded: list[str] = json.loads(done.stdout.splitlines()[-1])
    return loaded
