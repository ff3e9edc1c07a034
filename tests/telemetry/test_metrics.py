"""What is counted, and how a run's summary tells it."""

from __future__ import annotations

from connector.telemetry.costs import Cost, Usage
from connector.telemetry.observer import Metrics
from connector.telemetry.summary import Summary, summarize
from tests.timing import within


def busy() -> Metrics:
    metrics = Metrics()
    asked = {"client": "openai", "operation": "responses create", "route": "r"}
    metrics.count_call(**asked, state="done", status=200, cost=Cost("m", Usage(100, 40, 10), 0.5))  # type: ignore[arg-type]
    metrics.count_call(**asked, state="done", status=200, cost=Cost("new", Usage(1, 0, 1), None))  # type: ignore[arg-type]
    metrics.count_call(client="openai", operation="files list", state="not_sent")
    for state in ("finished", "finished", "waiting", "failed"):
        metrics.count_attempt("r", state)
    metrics.count_attempt("s", "unknown")
    metrics.duplicates.add(("r",), 3)
    metrics.accepted.add(("r",), 5)
    return metrics


def test_calls_are_counted_by_their_labels() -> None:
    metrics = busy()
    assert metrics.calls.values == {
        ("r", "openai", "responses create", "done", "200"): 2, ("", "openai", "files list", "not_sent", ""): 1,
    }  # fmt: skip
    assert metrics.tokens.values["r", "openai", "m", "cached_input"] == 40
    assert metrics.cost.values == {("r", "openai", "m"): 0.5}
    assert metrics.unpriced.values == {("r", "openai", "new"): 1}
    assert metrics.attempts.values["r", "finished"] == 2
    assert all(counter.description for counter in metrics.counters)


def test_two_of_them_share_nothing() -> None:
    busy()
    assert not any(counter.values for counter in Metrics().counters)


def test_models_do_not_pile_up() -> None:
    metrics = Metrics()
    for number in range(2000):
        metrics.count_call(client="c", operation="o", state="done", cost=Cost(f"m{number}", Usage(1), None))
    assert len(metrics.unpriced.values) == 501
    assert metrics.unpriced.values["", "c", "other"] == 1500


def test_counting_is_cheap() -> None:
    metrics = Metrics()

    def count() -> None:
        cost = Cost("m", Usage(5, 0, 5), 1.0)
        for _ in range(20_000):
            metrics.count_call(client="c", operation="o", state="done", route="r", cost=cost)
            metrics.count_attempt("r", "finished")

    within(20_000 * 50e-6, count)


def test_a_run_is_summed_up() -> None:
    found = summarize(busy(), 2.0)
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
    assert summarize(Metrics(), 0.0).text() == "tasks  none\ntime   0.0 s, 0.0 tasks a second"
    stopped = Summary(seconds=1.0, routes={"r": {"failed": 1200, "finished": 0}}, stopped="client openai is paused")
    assert stopped.text().splitlines() == [
        "tasks    1,200 failed", "time     1.0 s, 1,200.0 tasks a second", "stopped  client openai is paused",
    ]  # fmt: skip
    assert stopped.as_document()["stopped"] == "client openai is paused"
