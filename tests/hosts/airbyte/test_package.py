"""What is exported beside the programs: metadata that Airbyte's own models take, and images that start ours."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from connector.hosts.airbyte.package import describe_connector
from connector.version import version
from tests.hosts.airbyte.judges.running import HERE
from tests.hosts.airbyte.rig import KEYS, run
from tests.hosts.judges import needed_judge, python_of, variables
from tests.warm import command


def _export(folder: Path, *options: str) -> list[str]:
    asked = [*command(), "export", "airbyte", "--into", "made", *options]
    done = subprocess.run(asked, cwd=folder, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.split()


def test_airbytes_own_models_take_the_metadata(tmp_path: Path) -> None:
    python = needed_judge(python_of("airbyte"))
    written = _export(tmp_path, "--repository", "registry.example/team", "--image", "registry.example/connector:7")
    assert written == [
        f"made/{side}-openai/{name}" for side in ("source", "destination") for name in ("metadata.yaml", "Dockerfile")
    ]
    asked = [str(python), str(HERE / "metadata.py"), *(one for one in written if one.endswith(".yaml"))]
    done = subprocess.run(
        asked, cwd=tmp_path, env=variables(), capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    names = [f"registry.example/team/{side}-openai" for side in ("source", "destination")]
    assert json.loads(done.stdout) == [[name, version(), "python"] for name in names]


def test_the_images_start_our_programs(tmp_path: Path) -> None:
    _export(tmp_path, "--image", "registry.example/connector:7")
    for side in ("source", "destination"):
        lines = (tmp_path / "made" / f"{side}-openai" / "Dockerfile").read_text().splitlines()
        assert lines[0] == "FROM registry.example/connector:7"
        words = json.loads(lines[-1].removeprefix("ENTRYPOINT "))
        assert lines[1] == f'ENV AIRBYTE_ENTRYPOINT="{" ".join(words)}"'
        assert run(tmp_path, *words[1:], "spec").of("SPEC")


def test_suggested_streams_are_streams_and_ids_stay(tmp_path: Path, api: str) -> None:
    about = [describe_connector(side, "team")["data"] for side in ("source", "destination")]
    assert [one["definitionId"] for one in about] == [
        "9893dec9-b79e-5688-a379-c7477aa40eb1",
        "dace6725-ddeb-58fd-9f1b-4117d58c4365",
    ]
    found = run(tmp_path, "airbyte", "source", "discover", config={**KEYS, "base_uri": api}).of("CATALOG")
    names = {one["name"] for one in found[0]["streams"]}
    assert {*about[0]["suggestedStreams"]["streams"]} <= names
