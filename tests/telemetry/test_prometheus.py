"""The counters of a run as Prometheus reads them."""

from __future__ import annotations

import socket

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import ValidationError

from connector.config.models.settings import Telemetry
from connector.errors import ConfigurationError
from connector.telemetry.costs import Cost, Usage
from connector.telemetry.observer import Metrics
from connector.telemetry.prometheus import BudgetLevel, render_metrics, serve_metrics


def read(page: bytes) -> dict[tuple[str, ...], float]:
    """Every value by its name and the values of its labels, in the order of their names."""
    return {
        (sample.name, *dict(sorted(sample.labels.items())).values()): sample.value
        for family in text_string_to_metric_families(page.decode())
        for sample in family.samples
    }


def test_counters_tasks_and_stalls_are_read_by_a_parser_of_others() -> None:
    metrics, route = Metrics(), 'a "quoted" \\ route\n'
    cost = Cost("gpt-5-mini", Usage(100, 40, 10), 0.5)
    metrics.count_call(client="openai", operation="o", route=route, state="done", status=200, cost=cost)
    metrics.count_attempt("r", "finished")
    levels = [BudgetLevel("r", "money", 5.0, 1.25, 0.5), BudgetLevel("r", "tokens", 900, 70, 0)]
    found = read(render_metrics(metrics, {"r": {"finished": 3, "waiting": 2}, "s": {}}, ["s"], levels))
    assert [found[f"connector_budget_{name}", "r", "money"] for name in ("limit", "spent", "reserved")] == [
        5,
        1.25,
        0.5,
    ]
    assert found["connector_budget_spent", "r", "tokens"] == 70
    assert found["connector_calls_total", "openai", "o", route, "done", "200"] == 1
    assert found["connector_cost_total", "openai", "gpt-5-mini", route] == 0.5
    assert found["connector_attempts_total", "r", "finished"] == 1
    assert (found["connector_tasks", "r", "finished"], found["connector_tasks", "r", "waiting"]) == (3, 2)
    assert (found["connector_stalled", "r"], found["connector_stalled", "s"]) == (0, 1)


async def page() -> bytes:
    return render_metrics(Metrics(), {"r": {"finished": 1}}, [])


async def test_the_page_is_there_while_it_is_served_and_nothing_else() -> None:
    async with serve_metrics("127.0.0.1:0", 3, page) as url, httpx.AsyncClient() as client:
        answer = await client.get(url)
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert read(answer.content)["connector_tasks", "r", "finished"] == 1
        assert (await client.get(url.replace("/metrics", "/"))).status_code == 404
        assert (await client.post(url)).status_code == 405
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(url)


async def test_without_an_address_nothing_is_served() -> None:
    async with serve_metrics(None, 0, page) as url:
        assert url == ""


async def test_an_address_that_is_taken_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"telemetry.prometheus: 127.0.0.1:{port} cannot be listened at"):
            async with serve_metrics(f"127.0.0.1:{port - 1}", 1, page):
                pass


@pytest.mark.parametrize("address", ["127.0.0.1:9464", "[::1]:9464", "0.0.0.0:0", "metrics.internal:1", "none"])
def test_an_address_has_a_host_and_a_port(address: str) -> None:
    assert Telemetry.model_validate({"prometheus": address}).prometheus == (None if address == "none" else address)


@pytest.mark.parametrize("address", ["9464", ":9464", "127.0.0.1", "::1:9464", "a:99999", "a:-1", "http://a:1/x", ""])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ValidationError, match=r"127.0.0.1:9464 or \[::1\]:9464"):
        Telemetry.model_validate({"prometheus": address})
