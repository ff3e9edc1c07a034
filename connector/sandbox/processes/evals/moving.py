"""How an eval run goes on: item by item, sampled and graded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from connector.model import JSON
from connector.sandbox.processes.evals.evals import EVALS
from connector.sandbox.processes.evals.sampling import sampled
from connector.sandbox.processes.graders.grading import Grade, graded, names_of

if TYPE_CHECKING:
    from connector.sandbox.call import World
    from connector.sandbox.processes.timetable import Entry

__all__ = ["ITEMS", "ROWS", "RUNS", "move"]

RUNS = "eval runs"
ITEMS = "eval run output items"
ROWS = "sandbox eval rows"
"""Below a run: what is still to be gone through."""
TOGETHER = 50
"""Items that are gone through before others have a look at the clock."""
Run = dict[str, Any]


async def move(world: World, entry: Entry) -> float | None:
    """One step of a run; when the next one is due."""
    run_id, eval_id = entry.id, entry.parent
    run, known = world.objects.get(RUNS, run_id, eval_id), world.objects.get(EVALS, eval_id)
    if run is None or known is None or run["status"] not in ("queued", "in_progress"):
        return None
    if run["status"] == "queued":
        world.objects.put(RUNS, {**run, "status": "in_progress"}, eval_id)
        return entry.due + world.options.pace
    below = f"{eval_id}/{run_id}"
    rows = world.objects.page(ROWS, below, limit=TOGETHER, order="asc")
    for row in rows.items:
        await _gone_through(world, run, known["testing_criteria"], row)
        world.objects.delete(ROWS, row["id"], below)
        world.objects.put(RUNS, run, eval_id)
    if rows.has_more:
        return world.now()
    run["status"] = "failed" if _all_errored(run) else "completed"
    if run["status"] == "failed":
        run["error"] = {"code": "server_error", "message": "No item could be gone through; the output items say why."}
    world.objects.put(RUNS, run, eval_id)
    world.tell("eval.run.failed" if run["status"] == "failed" else "eval.run.succeeded", {"id": run_id})
    return None


async def _gone_through(world: World, run: Run, criteria: Sequence[Mapping[str, Any]], row: Mapping[str, Any]) -> None:
    sample = await sampled(world, run["data_source"], row["row"])
    text = sample["output"][0]["content"]
    names = names_of(row["row"].get("item", {}), text)
    grades = [await graded(world, criterion, names) for criterion in criteria]
    errored = bool(sample["error"]["message"]) or any(grade.fault for grade in grades)
    status = "error" if errored else "pass" if all(grade.passed for grade in grades) else "fail"
    item: dict[str, JSON] = {"id": world.new_id("outputitem_"), "object": "eval.run.output_item"}
    item |= {"created_at": int(world.now()), "run_id": run["id"], "eval_id": run["eval_id"], "status": status}
    item |= {"datasource_item_id": int(row["id"]), "datasource_item": row["row"].get("item", {}), "sample": sample}
    item["results"] = [_result(criterion, grade) for criterion, grade in zip(criteria, grades, strict=True)]
    world.objects.put(ITEMS, item, f"{run['eval_id']}/{run['id']}")
    run["result_counts"][{"pass": "passed", "fail": "failed", "error": "errored"}[status]] += 1
    _tally(run, criteria, grades)
    _add_usage(run, sample)


def _result(criterion: Mapping[str, Any], grade: Grade) -> dict[str, JSON]:
    sample = {"error": grade.reason} if grade.reason else None
    result = {"name": criterion["name"], "type": criterion["type"], "score": grade.score, "passed": grade.passed}
    return {**result, "sample": sample}


def _tally(run: Run, criteria: Sequence[Mapping[str, Any]], grades: Sequence[Grade]) -> None:
    known = {one["testing_criteria"]: one for one in run["per_testing_criteria_results"]}
    for criterion, grade in zip(criteria, grades, strict=True):
        name = criterion.get("id", criterion["name"])
        one = known.setdefault(name, {"testing_criteria": name, "passed": 0, "failed": 0})
        one["passed" if grade.passed else "failed"] += 1
    run["per_testing_criteria_results"] = list(known.values())


def _add_usage(run: Run, sample: Mapping[str, JSON]) -> None:
    if not sample["usage"]["total_tokens"]:
        return
    known = {one["model_name"]: one for one in run["per_model_usage"]}
    one = known.setdefault(sample["model"], {"model_name": sample["model"], "invocation_count": 0})
    one["invocation_count"] += 1
    for name, number in sample["usage"].items():
        one[name] = one.get(name, 0) + number
    run["per_model_usage"] = list(known.values())


def _all_errored(run: Run) -> bool:
    counts = run["result_counts"]
    return bool(counts["total"]) and counts["errored"] == counts["total"]
