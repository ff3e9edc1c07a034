"""The official SDK as a strict client of what no handler knows in particular."""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest

from connector.sandbox import Sandbox, in_thread


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with in_thread(Sandbox()) as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[openai.OpenAI]:
    given = {"api_key": "any", "admin_api_key": "any", "max_retries": 0}
    with openai.OpenAI(base_url=sandbox.url, _strict_response_validation=True, **given) as client:
        yield client


def test_it_follows_the_cursors_of_a_list_to_its_end(client: openai.OpenAI) -> None:
    projects = client.admin.organization.projects
    made = [projects.create(name=f"project {number}").id for number in range(5)]
    assert sorted(project.id for project in projects.list(limit=2)) == sorted(made)
    assert projects.update(made[0], name="renamed").name == "renamed"
    assert projects.archive(made[0]).status == "archived"
    assert made[0] not in [project.id for project in projects.list()]


def test_it_knows_what_went_wrong(client: openai.OpenAI, sandbox: Sandbox) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        client.admin.organization.projects.retrieve("proj_unknown")
    assert (missing.value.param, missing.value.request_id is not None) == ("id", True)
    with pytest.raises(openai.BadRequestError) as wrong:
        client.admin.organization.projects.list(limit="many")  # type: ignore[arg-type]  # that is the point
    assert wrong.value.param == "limit"
    with pytest.raises(openai.AuthenticationError):
        client.models.list(extra_headers={"Authorization": "Basic no"})
    sandbox.faults.add("429:1")
    with pytest.raises(openai.RateLimitError) as limited:
        client.models.list()
    assert limited.value.code == "rate_limit_exceeded"
    sandbox.faults.replace(["drop-after:1"])
    with pytest.raises(openai.APIConnectionError):
        client.models.list()


def test_it_tries_again_what_passes_with_time(sandbox: Sandbox) -> None:
    sandbox.faults.replace(rules=[{"operation": "models list", "nth": [1, 2], "fault": 429}])
    with openai.OpenAI(base_url=sandbox.url, api_key="any", max_retries=2) as client:
        assert client.models.list().data
    assert [entry["status"] for entry in sandbox.requests] == [429, 429, 200]


def test_it_reads_costs_bucket_by_bucket(client: openai.OpenAI) -> None:
    start = 1_767_225_600
    usage = client.admin.organization.usage
    page = usage.costs(start_time=start, end_time=start + 3 * 86400, limit=2)
    assert ([bucket.start_time for bucket in page.data], page.has_more) == ([start, start + 86400], True)
    rest = usage.costs(start_time=start, end_time=start + 3 * 86400, limit=2, page=page.next_page or "")
    assert ([bucket.start_time for bucket in rest.data], rest.next_page) == ([start + 2 * 86400], None)
