"""What is done to a connector; each scenario on a bench of its own, in a short form and in a long one."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle
from random import Random

from tests.crash.bench import ENDED, Bench
from tests.crash.moving import MovingBench, batches_moved_up, batches_moved_up_by_two
from tests.crash.planting import WIRE
from tests.crash.receiving import documents_received, events_received
from tests.crash.storm import storm
from tests.crash.troubles import (
    broken_after_the_effect,
    clients_renamed,
    clocks_jump,
    clocks_jump_within,
    effects_come_late,
    killed_before_anything,
    lists_spoilt,
)
from tests.crash.upstream import MOMENTS

__all__ = ["ENGINE", "EVERYWHERE", "SCENARIOS", "Scenario"]

KINDS = ("accept", "lease", "intend", "end", "settle", "cursors", "records", "lines", "written", "spent", "carry")
PLACES = ("before", "written", "committed")
ENGINE = tuple(f"sqlite.{kind}.{place}" for kind in KINDS for place in PLACES)
DELIVERY = (
    "delivery.doubts.resolved", "delivery.intent.before", "delivery.intent.committed", "delivery.outcome.seen",
    "delivery.requests.done", "delivery.lines.before", "delivery.lines.written",
)  # fmt: skip
RUN = (
    "worker.leased", "worker.settle.before", "worker.settle.committed", "reading.accept.before",
    "reading.accept.committed", "reading.end.before", "reading.end.committed",
)  # fmt: skip
OPENING = ("sqlite.migrate.written", "sqlite.replay.before", "sqlite.replay.written", "sqlite.replay.committed")
CHECKPOINTS = ("sqlite.checkpoint.before", "sqlite.checkpoint.after")
EVERYWHERE = (*OPENING, *ENGINE, *RUN, *DELIVERY, *WIRE, *MOMENTS, *CHECKPOINTS)
"""Every named point that a run comes to; those of `tasks` and of a service have scenarios of their own."""
HELD = 6
"""The exit code of a run that the file of tasks keeps from going on."""
SOME = 3
"""Documents for every route, before every crash."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Something that is done to a bench; a long form does it so many times.

    Attributes:
        faults: how often the upstream answers badly.
        command: whether processes begin as the installed command, in place of forks.
        engine: which engine; a file of SQLite's, or a PostgreSQL server of the harness's own.
        bench: what is configured, offered and judged.
    """

    act: Callable[[Bench, int], None]
    faults: float = 0.1
    command: bool = False
    engine: str = "sqlite"
    long: int = 4
    bench: type[Bench] = Bench


def _killed_everywhere(bench: Bench, times: int) -> None:
    _ended_at(bench, "KILL", [(point, nth) for nth in range(1, times + 1) for point in EVERYWHERE])


def _stopped_everywhere(bench: Bench, times: int) -> None:
    points = [*ENGINE, *RUN, *DELIVERY, *WIRE, *MOMENTS]
    _ended_at(bench, "TERM", [(point, 2) for point in points][:: 1 if times > 1 else 9])


def _power_lost(bench: Bench, times: int) -> None:
    points = [*OPENING, *ENGINE, *RUN, *DELIVERY, *WIRE, *CHECKPOINTS]
    kept = cycle((0.0, 0.5, 1.0))
    for point in points if times > 1 else points[5::7]:
        bench.offer(SOME)
        bench.crash(point, 1, "POWER", keeps=next(kept))


def _ended_at(bench: Bench, how: str, points: list[tuple[str, int]]) -> None:
    for point, nth in points:
        bench.offer(SOME)
        # Nothing is migrated twice: of that alone a first start is needed.
        if point != "sqlite.migrate.written" or not bench.kills:
            bench.crash(point, nth, how)


def _killed_at_random(bench: Bench, times: int) -> None:
    chance = Random(len(bench.folder.name))
    for _ in range(4 if times == 1 else 50):
        bench.offer(2 * SOME)
        run = bench.run()
        time.sleep(chance.uniform(0.05, 0.9))
        run.send(signal.SIGKILL)
        bench.ended(run)


def _people_at_work(bench: Bench, times: int) -> None:
    """Somebody skips, retries, purges and makes a copy, and is killed in the middle of that."""
    for _ in range(times):
        bench.offer(3 * SOME)
        bench.crash("upstream.effect", 6, of="POST /chat/completions")
        bench.run().wait()
        for place in PLACES[:2]:
            bench.crash(f"sqlite.skip.{place}", 1, "KILL", "tasks", "skip", "--state", "unknown")
        bench.crash("sqlite.skip.committed", 1, "KILL", "tasks", "skip", "--state", "unknown")
        for place in PLACES[:2]:
            bench.crash(f"sqlite.retry.{place}", 1, "KILL", "tasks", "retry", "--state", "skipped")
            bench.crash(f"sqlite.purge.{place}", 1, "KILL", "tasks", "purge", "--newer-than", "1h")
        bench.crash("sqlite.backup.step", 1, "KILL", "backup", "copy.db")


def _a_service(bench: Bench, times: int) -> None:
    """Schedules start readings, and each tick is claimed."""
    for place in PLACES * times:
        bench.offer(SOME)
        bench.crash(f"sqlite.claim.{place}", 2, "KILL", "run")
    bench.offer(SOME)
    run = bench.run("run", point="delivery.outcome.seen", nth=2, signal="TERM")
    if run.wait() not in ENDED:
        raise AssertionError(f"a service that was told to stop did not: {run.said}")


def _disk_full(bench: Bench, times: int) -> None:
    """No space, or a disk that fails to write, for a while: the run goes on by itself."""
    for kind, after in _troubles(("full", "write"), times):
        bench.offer(SOME)
        bench.ended(bench.run(disk={"kind": kind, "after": after, "times": 3}))


def _disk_not_synced(bench: Bench, times: int) -> None:
    """A sync that fails ends the process: what the disk has nobody knows."""
    for kind, after in _troubles(("sync",), times, first=8):
        bench.offer(SOME)
        bench.ended(bench.run(disk={"kind": kind, "after": after, "times": 1}), also=(HELD,))


def _troubles(kinds: tuple[str, ...], times: int, first: int = 60) -> Iterator[tuple[str, int]]:
    return ((kind, after) for after in range(first, first + 25 * times, 25) for kind in kinds)


def _answers_withheld(bench: Bench, times: int) -> None:
    for _ in range(times):
        bench.offer(4 * SOME)
        bench.ended(bench.run())


def _two_at_once(bench: Bench, times: int) -> None:
    """A second runner is sent away while there is a first one, and takes over when that is gone."""
    for _ in range(times):
        bench.offer(4 * SOME)
        first = bench.run("run")
        bench.until_heard()
        second = bench.run()
        if second.wait() != HELD:
            raise AssertionError(f"a second runner came in: {second.said}")
        third = bench.run()
        first.send(signal.SIGKILL)
        bench.ended(first)
        bench.ended(third, also=(HELD,))


def _other_names(bench: Bench, times: int) -> None:
    """A second runner comes by another configuration and another name of the file, and none comes in."""
    tasks, link, twin = (bench.folder / name for name in ("tasks.db", "link.db", "twin.db"))
    for name in (tasks, link, twin):
        text = (bench.folder / "connector.yaml").read_text().replace(str(tasks), str(name))
        (bench.folder / f"{name.stem}.yaml").write_text(text)
    for _ in range(times):
        bench.offer(4 * SOME)
        first = bench.run("run")
        bench.until_heard()
        link.symlink_to(tasks)
        twin.hardlink_to(tasks)
        for name in ("tasks", "link", "twin"):
            second = bench.run("run", "--once", "-f", f"{name}.yaml")
            if second.wait() != HELD:
                raise AssertionError(f"a second runner came in by {name}: {second.said}")
        first.send(signal.SIGKILL)
        bench.ended(first)
        twin.unlink()
        bench.ended(bench.run("run", "--once", "-f", "link.yaml"))
        link.unlink()


def _torn_files(bench: Bench, times: int) -> None:
    """What writes the files is at it while they are read, and stops in the middle of a line."""
    points = ("reading.accept.committed", "sqlite.accept.before", "sqlite.cursors.committed", "reading.end.before")
    for nth, point in enumerate(points * times):
        bench.offer(SOME)
        with bench.torn(1 + 17 * nth % 60):
            bench.crash(point, 2)
            bench.ended(bench.run())


def _killed_and_begun_as_a_command(bench: Bench, times: int) -> None:
    for nth in range(3 if times == 1 else 15):
        bench.offer(4 * SOME)
        bench.crash(("upstream.effect", "delivery.intent.committed", "sqlite.settle.committed")[nth % 3], 5 + nth % 4)


def _server_killed(bench: Bench, times: int) -> None:
    """The database goes away under two runners, and comes back: neither ends, and nothing is lost."""
    for _ in range(times):
        bench.offer(6 * SOME)
        runs = [bench.run(), bench.run()]
        bench.until_heard()
        time.sleep(0.2)
        bench.restart()
        for run in runs:
            bench.ended(run)


def _workers_killed(bench: Bench, times: int) -> None:
    """Of two runners one is killed at a named point, and the other one takes over what it had."""
    points = ("postgresql.commit.before", "postgresql.commit.after", "delivery.intent.committed", *MOMENTS[1:4])
    for point in points[: 2 if times == 1 else None]:
        bench.offer(4 * SOME)
        other = bench.run()
        bench.crash(point, 6)
        bench.ended(other)


SCENARIOS: dict[str, Scenario] = {
    "killed at every point": Scenario(_killed_everywhere, long=3),
    "stopped at every point": Scenario(_stopped_everywhere),
    "killed at random": Scenario(_killed_at_random),
    "power lost": Scenario(_power_lost),
    "people at work": Scenario(_people_at_work),
    "a service": Scenario(_a_service),
    "events received": Scenario(events_received, faults=0.0),
    "documents received from anybody": Scenario(documents_received, faults=0.0),
    "disk full, disk failing": Scenario(_disk_full),
    "disk not synced": Scenario(_disk_not_synced),
    "answers withheld": Scenario(_answers_withheld, faults=0.5),
    "two runners at once": Scenario(_two_at_once, command=True),
    "one file, several names": Scenario(_other_names, command=True),
    "files that are being written": Scenario(_torn_files),
    "the command, begun anew": Scenario(_killed_and_begun_as_a_command, command=True, faults=0.0),
    "clocks that jump": Scenario(clocks_jump, command=True, faults=0.0),
    "clocks that jump within a run": Scenario(clocks_jump_within, command=True, faults=0.0),
    "effects that come late": Scenario(effects_come_late, faults=0.0),
    "lists that are spoilt": Scenario(lists_spoilt),
    "clients renamed": Scenario(clients_renamed, faults=0.0),
    "broken after the effect": Scenario(broken_after_the_effect, faults=0.0),
    "killed before anything is sent": Scenario(killed_before_anything, faults=0.0, long=3),
    "clocks that jump, on PostgreSQL": Scenario(clocks_jump, command=True, faults=0.0, engine="postgresql"),
    "effects that come late, on PostgreSQL": Scenario(effects_come_late, faults=0.0, engine="postgresql"),
    "lists that are spoilt, on PostgreSQL": Scenario(lists_spoilt, engine="postgresql"),
    "clients renamed, on PostgreSQL": Scenario(clients_renamed, faults=0.0, engine="postgresql"),
    "broken after the effect, on PostgreSQL": Scenario(broken_after_the_effect, faults=0.0, engine="postgresql"),
    "moving up": Scenario(batches_moved_up, faults=0.0, bench=MovingBench),
    "moving up, on PostgreSQL": Scenario(batches_moved_up, faults=0.0, engine="postgresql", bench=MovingBench),
    "moving up, two workers on PostgreSQL": Scenario(
        batches_moved_up_by_two, command=True, faults=0.0, engine="postgresql", bench=MovingBench
    ),
    "everything at once": Scenario(storm, long=30),
    "everything at once, on PostgreSQL": Scenario(storm, engine="postgresql", long=30),
    "PostgreSQL killed": Scenario(_server_killed, command=True, engine="postgresql"),
    "workers on PostgreSQL killed": Scenario(_workers_killed, command=True, engine="postgresql"),
}
