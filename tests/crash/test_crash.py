"""The shortest form of the crash harness, among all tests; `make crash-short` and `make crash` do much more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from connector.engine import Task, TaskState, failpoints
from connector.engine.sqlite.writer import KINDS
from tests.crash.bench import Bench
from tests.crash.configuration import KINDS as ROUTES
from tests.crash.formula import AGAIN, Evidence, judge
from tests.crash.harness import catch, play
from tests.crash.hosts import catch_host, play_host
from tests.crash.jobs import catch_jobs, play_jobs
from tests.crash.moving import MovingBench
from tests.crash.mutants import put
from tests.crash.rows import ROW_SCENARIOS, play_rows
from tests.crash.running import ROOT, Warm
from tests.crash.scenarios import EVERYWHERE
from tests.timing import crowding

pytestmark = pytest.mark.long

PEOPLE = ("claim", "retry", "skip", "purge", "watch")
"""What a run of `--once` does not do; there are scenarios for it."""
ELSEWHERE = ("postgresql.", "sqlite.backup.", "batch.", "background.")
"""What such a run on SQLite does not come to: scenarios of their own, and the tests of batches."""


@pytest.fixture(scope="module")
def warm() -> Iterator[Warm]:
    begun = Warm()
    yield begun
    begun.close()


@pytest.fixture
def bench(tmp_path: Path, warm: Warm) -> Iterator[Bench]:
    """A bench whose upstream answers badly now and then."""
    made = Bench(tmp_path / "bench", warm, seed=3, faults=0.1)
    yield made
    made.close()


def test_every_named_point_is_one_at_which_a_process_is_ended() -> None:
    sources = [path.read_text() for path in (ROOT / "connector").rglob("*.py")]
    named = {name for text in sources for name in re.findall(r'\bfailpoints\.reach\("([a-z.-]+)"\)', text)}
    assert len(named) >= 10
    assert {name for name in named if not name.startswith(ELSEWHERE)} <= {*EVERYWHERE}
    kinds = {name.split(".")[1] for name in EVERYWHERE if name.startswith("sqlite.")}
    assert {*KINDS} - kinds == {*PEOPLE}
    assert len(EVERYWHERE) >= 30


def test_kills_lose_nothing_and_pay_nothing_twice_in_silence(bench: Bench) -> None:
    for point in ("sqlite.migrate.written", *EVERYWHERE[4::8]):
        bench.offer(3)
        bench.crash(point)
    found = bench.finish()
    assert found.breaches == []
    assert (found.lost, found.twice, bench.missed) == (0, 0, [])
    assert bench.kills == 1 + len(EVERYWHERE[4::8])
    assert bench.recovery < 10 * crowding(), "two seconds on a machine that has nothing else to do"


@pytest.mark.parametrize("name", ["power lost", "disk full, disk failing"])
def test_what_disks_do_loses_nothing(name: str, tmp_path: Path, warm: Warm) -> None:
    row, bench = play(name, tmp_path / "bench", warm)
    assert row.breaches == []
    assert bench.missed == []


def test_batches_that_move_up_are_paid_for_once(tmp_path: Path, warm: Warm) -> None:
    row, bench = play("moving up", tmp_path / "bench", warm)
    assert row.breaches == []
    assert (row.lost, row.twice, bench.missed) == (0, 0, [])
    assert isinstance(bench, MovingBench)
    assert bench.moved >= 3
    assert row.kills >= 3


@pytest.mark.parametrize("name", ["effects that come late", "broken after the effect"])
def test_what_an_api_does_pays_nothing_twice_in_silence_and_fails_nothing(
    name: str, tmp_path: Path, warm: Warm
) -> None:
    row, _ = play(name, tmp_path / "bench", warm)
    assert row.breaches == []
    assert (row.lost, row.twice) == (0, 0)


@pytest.mark.parametrize("name", ["tool calls repeated with a key", "tool calls asked for again"])
def test_a_host_that_repeats_its_calls_pays_once(name: str, tmp_path: Path, warm: Warm) -> None:
    row = play_host(name, tmp_path / "bench", warm, times=0)
    assert row.breaches == []
    assert (row.lost, row.twice) == (0, 0)
    assert row.kills >= 2


@pytest.mark.parametrize("name", ROW_SCENARIOS)
def test_a_platform_that_gives_its_rows_again_pays_once(name: str, tmp_path: Path, warm: Warm) -> None:
    row = play_rows(name, tmp_path / "bench", warm, times=0)
    assert row.breaches == []
    assert (row.lost, row.twice) == (0, 0)
    assert row.kills >= 1


def test_rows_whose_keys_are_forgotten_are_paid_for_twice(tmp_path: Path, warm: Warm) -> None:
    assert play_rows("airbyte rows", tmp_path / "bench", warm, times=0, mutants=("keys forgotten",)).twice


@pytest.mark.parametrize("name", ["keys forgotten"])
def test_mistakes_in_repeating_are_found(name: str, tmp_path: Path, warm: Warm) -> None:
    assert catch_host(name, tmp_path / "bench", warm, times=0)


def test_a_job_is_paid_for_once_whoever_goes_away(tmp_path: Path, warm: Warm) -> None:
    row = play_jobs("camunda jobs, killed at points", tmp_path / "bench", warm, times=0)
    assert row.breaches == []
    assert (row.lost, row.twice) == (0, 0)
    assert row.kills >= 2


def test_mistakes_in_doing_jobs_are_found(tmp_path: Path, warm: Warm) -> None:
    assert catch_jobs("unknown sent again to jobs", tmp_path / "bench", warm, times=0)


def test_a_mistake_can_be_made_only_where_there_is_something_to_replace() -> None:
    with pytest.raises(AttributeError):
        put(failpoints, no_such_name=None)


@pytest.mark.parametrize(
    "name",
    [
        "never synced", "intent after sending", "a broken API did nothing", "moves up without cancelling",
        "asks again before it is cancelled",
    ],
)  # fmt: skip
def test_mistakes_are_found(name: str, tmp_path: Path, warm: Warm) -> None:
    assert catch(name, tmp_path / "bench", warm)


def task(number: int, route: str, **more: object) -> Task:
    known = Task(id=number, route=route, document={}, key=f"doc-{route}-{number}", state=TaskState.FINISHED)
    return replace(known, **more)  # type: ignore[arg-type]


def evidence(*tasks: Task, times: int = 1, **more: object) -> Evidence:
    found = Evidence(
        offered=[one.key for one in tasks],
        told=[(one.id, one.route, one.key) for one in tasks],
        tasks=tasks,
        effects={(effect, one.key): times for one in tasks for effect in ROUTES[one.route].effects},
        withheld=0,
        cut=0,
        lines={},
    )
    return replace(found, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (evidence(task(1, "store")), None),
        (evidence(task(1, "store"), times=0), "never took effect"),
        (evidence(task(1, "store"), reserved=9), "9 tokens are reserved, and no call is under way"),
        (evidence(task(1, "store"), times=2), "took effect 2 times"),
        (evidence(task(1, "del"), times=2), None),
        (evidence(task(1, "store", state=TaskState.UNKNOWN), times=0), None),
        (evidence(task(1, "store", state=TaskState.WAITING)), "has no end"),
        (evidence(task(1, "store", state=TaskState.FAILED)), "is failed"),
        (evidence(task(1, "store"), task(1, "store")), "accepted 2 times"),
        (evidence(task(1, "store"), offered=["doc-store-1", "doc-store-2"]), "doc-store-2 was offered"),
        (evidence(told=[(7, "store", "k")]), "was accepted and is not there"),
        (evidence(task(1, "again"), times=2, cut=4), "took effect 2 times"),
        (evidence(task(1, "again", reason=f"{AGAIN}: it"), times=2, cut=4), None),
        (evidence(task(1, "again", reason=f"{AGAIN}: it"), times=2), "only 0 + 0 had a reason"),
        (evidence(task(1, "ask"), lines={"answers.jsonl": ['{"doc": "doc-ask-1"}']}), None),
        (evidence(task(1, "ask")), "0 lines in answers.jsonl"),
        (evidence(task(1, "ask"), lines={"answers.jsonl": ['{"doc": "doc-ask-1"}'] * 2}), "2 lines in answers.jsonl"),
        (evidence(task(1, "ask"), lines={"answers.jsonl": ['{"doc": "doc-as']}), "a broken line"),
    ],
)
def test_the_formula(found: Evidence, says: str | None) -> None:
    breaches = judge(found).breaches
    assert bool(breaches) is bool(says)
    assert not says or says in " ".join(breaches)
