"""What the tests of Camunda share: templates, diagrams made from them, and the judges that run in Node."""

from __future__ import annotations

import json
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

from connector.catalogue import Catalogue
from connector.hosts.camunda.templates import Templates
from connector.model_registry import load_registry
from tests.hosts.judges import NODE, needed_judge, node_package, variables

DAY = date(2026, 11, 29)
JUDGES = Path(__file__).parent / "judges"
JOB_TYPE = "openai-connector:1"


def templates(day: date = DAY) -> Templates:
    """The templates of the catalogue on a day."""
    return Templates(Catalogue.open(), load_registry(None), day, JOB_TYPE)


def judge(script: str, given: Any, *arguments: str) -> Any:
    """What a judge in Node says of a JSON value."""
    folder = needed_judge(node_package("camunda"))
    done = subprocess.run(
        [str(needed_judge(NODE)), str(JUDGES / script), str(folder.parent), *arguments],
        input=json.dumps(given), capture_output=True, text=True, timeout=120, env=variables(), check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def named(template: dict[str, Any], target: str) -> list[dict[str, Any]]:
    """The properties of a template that are bound to a variable, a header or a property of the task."""
    return [one for one in template["properties"] if target in one["binding"].values()]
