"""What the project's tests and tools run beside Python is asked for by name, never assumed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs import REQUIRED, needed

ROOT = Path(__file__).parents[1]
PROGRAMS = {
    "bash", "cat", "curl", "dig", "docker", "envoy", "git", "gzip", "initdb", "jq", "kill", "ln", "lsof", "make", "nc",
    "nginx", "node", "npm", "npx", "openssl", "pg_ctl", "pkill", "ps", "psql", "python", "python3", "sed", "sh", "ss",
    "strace", "tail", "tar", "uv", "unzip", "wget", "zip",
}  # fmt: skip
NAMED = {
    "bench/gateways.py": {"sh", "ps"},
}
"""Who finds its programs by itself, in the folder where they are installed."""


def started(path: Path) -> Iterator[str]:
    """Programs that a module starts by a bare name."""
    source = path.read_text(encoding="utf-8")
    if "subprocess" not in source:
        return
    tree = ast.parse(source)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and "subprocess" in ast.unparse(node.func)]
    commands = [call.args[0] for call in calls if call.args]
    names = {command.id for command in commands if isinstance(command, ast.Name)}
    commands += [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and any(ast.unparse(target) in names for target in node.targets)
    ]
    for command in commands:
        first = command.elts[0] if isinstance(command, ast.List | ast.Tuple) and command.elts else command
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield from PROGRAMS & set(first.value.split()[:1])


def test_no_program_is_taken_for_granted():
    found = {}
    for folder in ("tests", "tools", "bench", "connector"):
        for path in (ROOT / folder).rglob("*.py"):
            name = path.relative_to(ROOT).as_posix()
            if bare := set(started(path)) - NAMED.get(name, set()):
                found[name] = bare
    assert found == {}


def test_the_look_finds_what_it_looks_for(tmp_path):
    module = tmp_path / "m.py"
    module.write_text(
        "import subprocess\nsubprocess.run(['curl'], check=False)\nline = ['node', 'x']\nsubprocess.Popen(line)\n"
    )
    assert sorted(started(module)) == ["curl", "node"]


def test_a_missing_program_skips_and_fails_where_everything_must_be_there(monkeypatch):
    monkeypatch.delenv(REQUIRED, raising=False)
    with pytest.raises(pytest.skip.Exception, match="no surely-missing on this machine"):
        needed("surely-missing")
    monkeypatch.setenv(REQUIRED, "1")
    with pytest.raises(pytest.fail.Exception, match="apt-get install"):
        needed("surely-missing")
