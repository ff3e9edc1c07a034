"""How little `--help` loads."""

from __future__ import annotations

import json
import subprocess
import sys

HELP = """
import json, sys
from connector.cli import main
sys.argv[1:] = ["--help"]
try:
    main()
except SystemExit:
    print("\\n" + json.dumps(sorted(sys.modules)))
"""
ROOMS = {"cli", "declarations", "documents", "errors", "extras", "model", "offline", "suggestions", "terminal"}
"""What `--help` may load of the connector."""
HEAVY = {"pydantic", "pydantic_core", "jsonschema", "httpx", "aiohttp", "rich", "ruamel", "jmespath", "apsw"}


def test_help_loads_commands_and_small_things_alone() -> None:
    done = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, check=True)
    loaded: list[str] = json.loads(done.stdout.splitlines()[-1])
    rooms = {name.split(".")[1] for name in loaded if name.startswith("connector.")}
    assert rooms <= ROOMS
    assert not {name.partition(".")[0] for name in loaded} & HEAVY
