"""Batches that would be late: killed while they are waited for, cancelled and asked for anew; all are paid for once.

What one round has sent by batch counts as most of an hour older in the next one and moves up there, however fast the
machine is. A batch answers a part of its lines and no more until it is cancelled.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import Counter
from random import Random

from connector.delivery.batch.lines import is_batch_line
from connector.engine import ENDS, Filter, Task, TaskState, open_store
from connector.model import State
from tests.crash.bench import Bench
from tests.crash.configuration import CHAT, SETTLING, TOTAL
from tests.crash.formula import Verdict

__all__ = ["MOVING", "MovingBench", "batches_moved_up", "batches_moved_up_by_two"]

ASKED = "POST /chat/completions"
HOUR = 3_600.0
SOME = 3
ANSWERS = "answers.jsonl"
FIRST = (
    "batch.cancel.before", "batch.cancel.asked", "upstream.asked", "upstream.effect", "upstream.headers",
    "upstream.part", "upstream.answered",
)  # fmt: skip
"""Where a cancellation is cut off; of the upstream, while that call is under way."""
THEN = (
    "batch.results.read", "batch.results.chunk", "batch.results.before", "batch.results.committed",
    "batch.parts.taken", "batch.tidied", "delivery.doubts.resolved", "delivery.requests.done", "worker.settle.before",
    "worker.settle.committed", "delivery.lines.before", "delivery.lines.written",
)  # fmt: skip
"""Where what a cancelled batch has answered is taken, and the rest goes by single calls."""
MOVING = (*FIRST, *THEN)


class MovingBench(Bench):
    """A route whose answers are needed an hour after its documents came."""

    moved = 0
    """Documents whose batch was cancelled, and that a single call was made for."""

    def configured(self, client: str, attempts: int = 200) -> None:
        parameters = {
            "token": "${KEY}", "base_uri": f"{self.url}/v1", "retry": {"max_retries": 0},
            "timeouts": {"total": TOTAL, "settling": SETTLING},
        }  # fmt: skip
        document = {
            "clients": {client: {"prototype": "openai", "parameters": parameters}},
            "incoming": {"in": {"subscriber": {"prototype": "file", "parameters": {"url": "in.jsonl"}}}},
            "outgoing": {
                "out": {
                    "request": {"payload": CHAT},
                    "publisher": {
                        "prototype": "openai",
                        "parameters": {"client": client, "entity": "chat completions"},
                    },
                    "transport": "batch",
                    "batch": {"age": "1s"},
                    "answer": {
                        "chain": [{"expression": {"expression": "{doc: document.doc}"}}],
                        "publisher": {"prototype": "file", "parameters": {"url": ANSWERS, "append": True}},
                    },
                }
            },
            "routes": {
                "move": {
                    "incoming": "in", "outgoing": "out", "key": "doc", "within": "1h", "spare": "1s",
                    "attempts": attempts, "retry_delay": 0.1, "max_delay": 0.5,
                }
            },
            "engine": self.engine,
        }  # fmt: skip
        (self.folder / "connector.yaml").write_text(json.dumps(document))
        self.later = {"moves": 0.0}

    def offer(self, count: int) -> None:
        with (self.folder / "in.jsonl").open("a") as file:
            for number in range(self._offered, self._offered + count):
                file.write(json.dumps({"doc": f"doc-move-{number:05}"}) + "\n")
        self._offered += count

    def next_round(self) -> None:
        """What is under way now counts as most of an hour older; new batches are answered at once."""
        self.behave(share=1.0)
        self.later = {"moves": time.time() + HOUR}

    def begin_batch(self, share: float) -> None:
        """Leave a batch under way, of which a part is answered; of the others one is while it is cancelled."""
        self.behave(share=share)
        self.offer(SOME)
        self.crash("batch.created")

    def finish(self) -> Verdict:
        self.next_round()
        return super().finish()

    def verdict(self) -> Verdict:
        """What the upstream's record says when all is over, and what was not cancelled has run as well."""
        self.ask("/run-rest", {})
        path = self.folder / "effects.jsonl"
        effects: Counter[str] = Counter()
        for effect in map(json.loads, path.read_text().splitlines() if path.exists() else ()):
            effects.update(effect["documents"] if effect["operation"] == ASKED else ())
        lines = (self.folder / ANSWERS).read_text().splitlines() if (self.folder / ANSWERS).exists() else []
        tasks = asyncio.run(_tasks(self.engine))
        self.moved = sum(_has_moved(task) for task in tasks)
        offered = [f"doc-move-{number:05}" for number in range(self._offered)]
        return _judge(offered, tasks, effects, Counter(json.loads(line)["doc"] for line in lines))


def _judge(offered: list[str], tasks: list[Task], effects: Counter[str], written: Counter[str]) -> Verdict:
    verdict = Verdict(tasks=len(tasks), unknown=sum(task.state is TaskState.UNKNOWN for task in tasks))
    keys = Counter(task.key for task in tasks if task.route == "move")
    lost = [f"{key} was offered and accepted {keys[key]} times" for key in offered if keys[key] != 1]
    for task in tasks:
        if task.state not in ENDS:
            lost.append(f"task {task.id} ({task.route} {task.key}) has no end: {task.state}: {task.reason}")
        elif task.route == "move" and task.state is TaskState.FINISHED and not effects[task.key]:
            lost.append(f"{task.key} is finished, and was never asked for")
        elif task.state not in (TaskState.FINISHED, TaskState.UNKNOWN):
            verdict.breaches.append(f"task {task.id} ({task.route} {task.key}) is {task.state}: {task.reason}")
    twice = [f"{key} was paid for {times} times" for key, times in effects.items() if times > 1]
    verdict.lost, verdict.twice = len(lost), len(twice)
    due = Counter(task.key for task in tasks if task.route == "move" and task.state is TaskState.FINISHED)
    wrong = [f"{key}: {written[key]} lines, and {due[key]} are due" for key in offered if written[key] != due[key]]
    verdict.breaches += [*lost, *twice, *wrong]
    return verdict


async def _tasks(engine: str) -> list[Task]:
    """All tasks, with their calls."""
    store, found = await open_store(engine, role="admin"), list[Task]()
    try:
        while page := await store.tasks(Filter(), after=found[-1].id if found else 0, limit=1000):
            found += [task for one in page if (task := await store.task(one.id)) is not None]
        return found
    finally:
        await store.close()


def _has_moved(task: Task) -> bool:
    batched = [call for call in task.calls if is_batch_line(call) and call.state == State.NOT_SENT]
    return bool(batched) and any(call.state == State.DONE and not is_batch_line(call) for call in task.calls)


def batches_moved_up(bench: Bench, times: int) -> None:
    """Each batch is cancelled in the next round, which is killed at a named point or at any other time."""
    assert isinstance(bench, MovingBench)
    chance = Random(bench.seed)
    for nth in range(1, 1 + max(times // 2, 1)):
        for point in MOVING if times > 1 else MOVING[1::6]:
            bench.begin_batch(chance.choice((0.0, 0.4)))
            bench.next_round()
            if point.startswith("upstream."):
                bench.crash(point, nth if point != FIRST[2] else 1, of="POST /batches/cancel")
            else:
                bench.crash(point)
    for _ in range(1 if times == 1 else 20 * times):
        bench.begin_batch(chance.choice((0.0, 0.4)))
        bench.next_round()
        run = bench.run()
        timer = threading.Timer(chance.uniform(0.2, 1.5), run.send, (9,))
        timer.start()
        bench.ended(run)
        timer.cancel()


def batches_moved_up_by_two(bench: Bench, times: int) -> None:
    """Two workers of a fleet look after the same batches; whoever comes to a point is killed there."""
    assert isinstance(bench, MovingBench)
    for point in FIRST[:2] if times == 1 else (*FIRST[:2], *THEN):
        bench.begin_batch(0.4)
        bench.next_round()
        for run in [bench.run(point=point, signal="KILL") for _ in range(2)]:
            bench.ended(run)
