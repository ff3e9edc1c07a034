"""What is counted, as Prometheus reads it and as a run's summary tells it."""

from __future__ import annotations

import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from connector.observing.metrics import Metrics
from connector.observing.prices import Usage
from connector.observing.summary import Summary, summary


def samples(metrics: Metrics) -> dict[str, float]:
    found = {}
    for family in text_string_to_metric_families(metrics.text().decode()):
        assert family.documentation
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


def busy() -> Metrics:
    metrics = Metrics()
    asked = {"client": "openai", "operation": "responses create", "route": "r"}
    metrics.called(**asked, state="done", status=200, seconds=0.3, model="m", usage=Usage(100, 40, 10), cost=0.5)  # type: ignore[arg-type]
    metrics.called(**asked, state="done", status=200, seconds=3, model="new", usage=Usage(1, 0, 1))  # type: ignore[arg-type]
    metrics.called(client="openai", operation="files list", state="not_sent", seconds=0.01)
    for state in ("finished", "finished", "waiting", "failed"):
        metrics.attempted("r", state, 0.2)
    metrics.attempted("s", "unknown", 1)
    metrics.duplicates.add(("r",), 3)
    metrics.accepted.add(("r",), 5)
    metrics.committed(0.002, changes=12)
    return metrics


def test_everything_is_told_in_prometheus_form() -> None:
    metrics = busy()
    metrics.show({"r": {"new": 4, "waiting": 1, "finished": 9}}, {"r": 12.5}, frozenset({"new", "waiting"}))
    found = samples(metrics)
    called = "client=openai,operation=responses create,route=r,state=done,status=200"
    assert found[f"connector_calls_total{{{called}}}"] == 2
    assert found["connector_calls_total{client=openai,operation=files list,route=,state=not_sent,status=}"] == 1
    assert found["connector_tokens_total{client=openai,kind=cached_input,model=m,route=r}"] == 40
    assert found["connector_cost_total{client=openai,model=m,route=r}"] == 0.5
    assert found["connector_unpriced_calls_total{client=openai,model=new,route=r}"] == 1
    assert found["connector_call_seconds_bucket{client=openai,le=0.5}"] == 2
    assert found["connector_call_seconds_bucket{client=openai,le=+Inf}"] == 3
    assert found["connector_call_seconds_sum{client=openai}"] == pytest.approx(3.31)
    assert found["connector_attempts_total{route=r,state=finished}"] == 2
    assert found["connector_tasks{route=r,state=finished}"] == 9
    assert found["connector_queue_tasks{route=r}"] == 5
    assert found["connector_queue_oldest_seconds{route=r}"] == 12.5
    assert (found["connector_commits_total{}"], found["connector_commit_changes_total{}"]) == (1, 12)
    assert found["connector_commit_seconds_bucket{le=0.0025}"] == 1


def test_two_of_them_share_nothing() -> None:
    busy()
    assert not any(samples(Metrics()).values())


def test_odd_labels_are_escaped() -> None:
    metrics = Metrics()
    metrics.called(client='a"b\nc\\', operation="ö", state="done", seconds=0)
    assert 'client=a"b\nc\\,operation=ö' in "".join(samples(metrics))


def test_models_do_not_pile_up() -> None:
    metrics = Metrics()
    for number in range(2000):
        metrics.called(client="c", operation="o", state="done", seconds=0, model=f"m{number}", usage=Usage(1))
    assert len(metrics.unpriced.values) == 501
    assert metrics.unpriced.values["", "c", "other"] == 1500


def test_counting_is_cheap() -> None:
    metrics = Metrics()
    began = time.process_time()
    for _ in range(20_000):
        metrics.called(
            client="c", operation="o", state="done", seconds=0.1, route="r", model="m", usage=Usage(5, 0, 5), cost=1
        )
        metrics.attempted("r", "finished", 0.1)
    assert (time.process_time() - began) / 20_000 < 50e-6


def test_a_run_is_summed_up() -> None:
    found = summary(busy(), 2.0)
    assert found.as_document() == {
        "tasks": {"finished": 2, "failed": 1, "unknown": 1},
        "routes": {"r": {"finished": 2, "failed": 1}, "s": {"unknown": 1}},
        "duplicates": 3,
        "calls": {"done": 2, "not_sent": 1},
        "tokens": {"input": 101, "cached_input": 40, "output": 11},
        "cost": 0.5,
        "currency": "USD",
        "unpriced": ["new"],
        "seconds": 2.0,
        "tasks_per_second": 2.0,
    }
    assert found.text().splitlines() == [
        "tasks          2 finished, 1 failed, 1 unknown",
        "  r            2 finished, 1 failed",
        "  s            1 unknown",
        "known already  3",
        "calls          2 done, 1 not_sent",
        "tokens         101 in (40 cached), 11 out",
        "cost           0.5000 USD; no price for new",
        "time           2.0 s, 2.0 tasks a second",
    ]


def test_a_run_of_nothing_says_so() -> None:
    assert summary(Metrics(), 0.0).text() == "tasks  none\ntime   0.0 s, 0.0 tasks a second"
    stopped = Summary(seconds=1.0, routes={"r": {"failed": 1200, "finished": 0}}, stopped="client openai is paused")
    assert stopped.text().splitlines() == [
        "tasks    1,200 failed", "time     1.0 s, 1,200.0 tasks a second", "stopped  client openai is paused",
    ]  # fmt: skip
    assert stopped.as_document()["stopped"] == "client openai is paused"
