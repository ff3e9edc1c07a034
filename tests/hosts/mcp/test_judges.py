"""Judges that are not ours: the conformance suite and four foreign clients, also of a server with a mistake."""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.hosts.judges import NODE, needed_judge, node_package, python_of
from tests.hosts.mcp.judges import conformance, stories
from tests.hosts.mcp.rig import CONFIGURATION
from tests.warm import command

INSPECTOR = node_package("mcp", "@modelcontextprotocol", "inspector-cli", "build", "index.js")


def test_the_conformance_suite_finds_what_it_asks_for(tmp_path: Path, bare_api: str) -> None:
    needed_judge(conformance.CONFORMANCE)
    found = conformance.judge(tmp_path, bare_api)
    assert {name for name in conformance.ASSERTED if not found.get(name)} == set()
    assert found.keys() - set(conformance.ASSERTED) == conformance.NOT_SPOKEN.keys()
    assert not any(found[name] for name in conformance.NOT_SPOKEN)


def test_foreign_clients_tell_a_story_from_the_first_list_to_a_cancelled_call(tmp_path: Path, bare_api: str) -> None:
    needed_judge(python_of("mcp"))

    def told(client: str, mode: str) -> list[str]:
        return stories.breaches(client, tmp_path, bare_api, mode)

    each = [("official", "auto"), ("official", "legacy"), ("fastmcp", ""), ("agents", "")]
    with ThreadPoolExecutor(2) as pool:
        found = dict(zip(each, pool.map(told, *zip(*each, strict=True)), strict=True))
    assert found == {one: [] for one in each}
    assert stories.miscounts(tmp_path) == []


def test_the_inspector_lists_tools_and_calls_one(tmp_path: Path) -> None:
    path = tmp_path / "connector.json"
    path.write_text(json.dumps(CONFIGURATION))
    words = [str(NODE), str(needed_judge(INSPECTOR)), *command(), "mcp", "-f", str(path)]

    def inspect(*arguments: str) -> str:
        return subprocess.run([*words, *arguments], capture_output=True, text=True, timeout=60, check=True).stdout

    assert {tool["name"] for tool in json.loads(inspect("--method", "tools/list"))["tools"]} >= {"greet", "explain"}
    asked = ["--method", "tools/call", "--tool-name", "explain", "--tool-arg", "tool=greet"]
    explained = json.loads(inspect(*asked, "--tool-arg", 'arguments={"name": "Ada"}'))
    assert explained["structuredContent"]["body"]["messages"][0]["content"] == "Greet Ada."


def test_the_suite_catches_a_server_that_hides_failures(tmp_path: Path, bare_api: str) -> None:
    """One of `tests.hosts.mcp.mutants`, which shows all of them before all judges."""
    needed_judge(conformance.CONFORMANCE)
    found = conformance.judge(tmp_path, bare_api, "tools-call-error", mutant="hides failures")
    assert found == {"tools-call-error": False}
