"""Eval runs: created, read, cancelled, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.model import JSON
from connector.sandbox.call import Answer
from connector.sandbox.processes.evals.evals import EVALS
from connector.sandbox.processes.evals.items import items_of
from connector.sandbox.processes.evals.moving import ITEMS, ROWS, RUNS
from connector.sandbox.processes.kept import Where, body_of, lists, retrieves, wrong

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connector.sandbox.call import Call, Handler, World

__all__ = ["HANDLERS"]

OPEN = ("queued", "in_progress")


def create(call: Call, world: World) -> Answer:
    known = world.found(EVALS, call.path["eval_id"])
    asked = body_of(call)
    source = asked["data_source"]
    rows = items_of(world, source["source"])
    run: dict[str, JSON] = {"id": world.new_id("evalrun_"), "object": "eval.run", "eval_id": known["id"]}
    run |= {"created_at": int(world.now()), "status": "queued", "name": asked.get("name", "")}
    run |= {"data_source": source, "model": source.get("model", ""), "metadata": asked.get("metadata", {})}
    run |= {"error": {"code": "", "message": ""}, "per_model_usage": [], "per_testing_criteria_results": []}
    run["result_counts"] = {"total": len(rows), "passed": 0, "failed": 0, "errored": 0}
    run["report_url"] = f"https://platform.openai.com/evaluations/{known['id']}?run_id={run['id']}"
    world.objects.put(RUNS, run, known["id"])
    for place, row in enumerate(rows):
        world.objects.put(ROWS, {"id": str(place), "row": row}, f"{known['id']}/{run['id']}")
    world.processes.open(RUNS, run["id"], world.now() + world.options.pace, known["id"])
    return Answer(run)


def cancel(call: Call, world: World) -> Answer:
    run = world.found(RUNS, call.path["run_id"], call.path["eval_id"])
    if run["status"] in OPEN:
        run["status"] = "canceled"
        world.objects.put(RUNS, run, call.path["eval_id"])
        world.tell("eval.run.canceled", {"id": run["id"]})
    elif not world.options.lenient:
        raise wrong(f"Run '{run['id']}' has status '{run['status']}' and cannot be canceled.")
    return Answer(run)


def delete(call: Call, world: World) -> Answer:
    world.found(RUNS, call.path["run_id"], call.path["eval_id"])
    world.objects.delete(RUNS, call.path["run_id"], call.path["eval_id"])
    return Answer({"object": "eval.run.deleted", "deleted": True, "run_id": call.path["run_id"]})


def _of_status(call: Call) -> Where:
    wanted = call.query.get("status")
    return lambda one: wanted in (None, one["status"])


RUN = "/evals/{eval_id}/runs/{run_id}"
HANDLERS: Mapping[str, Handler] = {
    "GET /evals/{eval_id}/runs": lists(RUNS, (EVALS, "eval_id"), order="asc", where=_of_status),
    "POST /evals/{eval_id}/runs": create,
    f"GET {RUN}": retrieves(RUNS, "run_id", "eval_id"),
    f"POST {RUN}/cancel": cancel,
    f"DELETE {RUN}": delete,
    f"GET {RUN}/output_items": lists(ITEMS, (EVALS, "eval_id"), (RUNS, "run_id"), order="asc", where=_of_status),
    f"GET {RUN}/output_items/{{output_item_id}}": retrieves(ITEMS, "output_item_id", "eval_id", "run_id"),
}
