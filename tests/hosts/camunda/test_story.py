"""From an exported form to a result: the modeler's tools apply it, the cluster's rules map it, the worker does it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from connector.catalogue import Catalogue
from connector.hosts.camunda.seed import seed_template
from tests.hosts.camunda.cluster import Cluster
from tests.hosts.camunda.rig import judge, templates
from tests.hosts.judges import needed_judge, python_of, variables
from tests.servers.conftest import sandbox
from tests.warm import command

CHAT = "chat completions create"


def apply(template: dict[str, Any], **values: str) -> dict[str, Any]:
    """A service task that a template was applied to, with what the linter says of it."""
    [found] = judge("apply.mjs", [{"template": template, "values": values}])
    assert found["said"] == []
    result: dict[str, Any] = found
    return result


def test_a_form_of_every_kind_makes_a_task_that_camunda_can_run() -> None:
    catalogue, writer = Catalogue.open(), templates()
    wanted = [one for number, one in enumerate(catalogue.operations()) if number % 9 == 0]
    made = [{"template": writer.operation(one), "values": {}} for one in wanted]
    found = judge("apply.mjs", [*made, {"template": seed_template(writer), "values": {}}])
    assert len(found) == len(wanted) + 1
    assert [one["said"] for one in found] == [[]] * len(found)
    assert {(one["kind"], one["type"], one["retries"]) for one in found} == {
        ("bpmn:ServiceTask", "openai-connector:1", "3")
    }
    assert [one["headers"]["operation"] for one in found] == [*(one.name for one in wanted), CHAT]


def test_the_linter_finds_what_is_wrong() -> None:
    """Without this, a linter that was called wrongly would find nothing."""
    template = templates().operation(Catalogue.open().find("files list"))
    template["properties"] = [one for one in template["properties"] if one["binding"].get("property") != "type"]
    [found] = judge("apply.mjs", [{"template": template, "values": {}}])
    assert any("camunda-compat" in one for one in found["said"])


@pytest.mark.parametrize(
    ("values", "names", "sent"),
    [
        (
            {"internal_prompt": "=text", "internal_temperature": "0.5", "internal_systemMessage": "Be short."},
            {"text": "Good morning"},
            {
                "model": "gpt-6.1-terra", "n": 1, "temperature": 0.5,
                "messages": [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Good morning"}],
            },
        ),
        (
            {"internal_prompt": "Hi", "internal_chatHistory": "=before", "model": "custom",
             "internal_customModel": "mine"},
            {"before": [{"role": "user", "content": "a"}]},
            {
                "model": "mine", "n": 1,
                "messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "Hi"}],
            },
        ),
        ({"operation": "moderation", "internal_textToAnalyze": "=text"}, {"text": "I love"}, {"input": "I love"}),
    ],
)  # fmt: skip
def test_the_seed_maps_what_was_filled_in_to_a_request(
    values: dict[str, str], names: dict[str, Any], sent: dict[str, Any]
) -> None:
    task = apply(seed_template(templates()), **values)
    local = judge("mapping.mjs", {"inputs": task["inputs"], "variables": names})
    assert local["openai_request"]["payload"] == sent
    operation = "moderations create" if values.get("operation") else CHAT
    assert task["headers"]["operation"] == operation


def test_the_clusters_own_client_agrees_with_the_stand_in_and_with_what_the_worker_sends() -> None:
    python = needed_judge(python_of("camunda"))
    cluster = Cluster()
    for number in range(3):
        cluster.add({"operation": CHAT}, {}, retries=number + 1)
    failure: dict[str, Any] = {"retries": 2, "errorMessage": "m", "retryBackOff": 10, "variables": {"a": {}}}
    requests: list[tuple[str, dict[str, Any]]] = [
        (
            "activation",
            {
                "type": "t", "worker": "w", "timeout": 1, "maxJobsToActivate": 2, "fetchVariable": ["a"],
                "requestTimeout": 3, "tenantIds": ["x"],
            },
        ),
        ("completion", {"variables": {"reply": "a"}}),
        ("failure", failure),
        ("error", {"errorCode": "E", "errorMessage": "m", "variables": {}}),
        ("update", {"changeset": {"timeout": 60_000}}),
    ]  # fmt: skip
    done = subprocess.run(
        [str(python), str(Path(__file__).parent / "judges" / "sdk.py")],
        input=json.dumps({"url": cluster.url, "requests": requests}), capture_output=True, text=True, timeout=120,
        env=variables(), check=False,
    )  # fmt: skip
    cluster.close()
    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout)
    assert [job["retries"] for job in said["taken"]] == [1, 2, 3]
    assert said["taken"][0]["headers"] == {"operation": CHAT}
    assert [(what, body) for what, body in said["read"]] == requests
    assert said["unread"] == []
    assert [job.state for job in cluster.jobs.values()] == ["completed", "incident", "error"]


def test_from_the_export_to_the_result(tmp_path: Path) -> None:
    cluster = Cluster()
    with sandbox() as api:
        _play(tmp_path, cluster, api.base_url, api.key)


def _play(tmp_path: Path, cluster: Cluster, url: str, key: str) -> None:
    (tmp_path / "connector.yaml").write_text(
        f"""
clients:
  openai: {{prototype: openai, parameters: {{token: "${{OPENAI_API_KEY}}", base_uri: "{url}"}}}}
  cluster: {{prototype: camunda, parameters: {{base_uri: "{cluster.url}"}}}}
camunda: {{operations: [chat completions create, moderations create], poll: 0.2}}
"""
    )
    environment = {**os.environ, "OPENAI_API_KEY": key}
    words = [*command(), "export", "camunda", "--folder", "forms"]
    subprocess.run(words, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=60)
    form = json.loads((tmp_path / "forms" / "openai-connector.chat-and-moderation.json").read_text())
    task = apply(form, internal_prompt="=text", resultExpression="= {reply: response.body.choices[1].message.content}")
    local = judge("mapping.mjs", {"inputs": task["inputs"], "variables": {"text": "Good morning"}})
    job = cluster.add(task["headers"], local["openai_request"], openai_key=local["openai_key"])
    words = [*command(), "worker", "camunda"]
    worker = subprocess.Popen(words, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        cluster.wait(lambda: job.state != "created", 30)
    finally:
        worker.send_signal(signal.SIGTERM)
        _, said = worker.communicate(timeout=30)
        cluster.close()
    assert job.told[0][0] == "completion", job.told
    assert isinstance(job.told[0][1]["variables"]["reply"], str)
    assert worker.returncode == 0
    assert f"working on jobs of type openai-connector:1 at {cluster.url}" in said
    assert "jobs: 1 completed, 0 ended with a BPMN error, 0 to be activated again, 0 incidents" in said
