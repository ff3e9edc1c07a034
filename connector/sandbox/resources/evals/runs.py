"""Eval runs: created, cancelled, and run row by row of their data source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connector.documents import parse
from connector.errors import InvalidDocument
from connector.model import JSON, is_list, is_object, items, members
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.messages import Answer, Request
from connector.sandbox.resources.crud import (
    Condition,
    bad_request,
    build_list_handler,
    build_retrieve_handler,
    get_body,
)
from connector.sandbox.resources.evals.evals import EVALS
from connector.sandbox.resources.graders.graders import Grade, build_variables, grade_sample
from connector.sandbox.resources.graders.prompts import ModelAnswer, UnknownVariable, ask_model, fill_messages
from connector.sandbox.timers import Timer

__all__ = ["HANDLERS", "RUNS", "advance_run", "load_rows", "sample_row"]

MOST_ROWS = 10_000
STORED_KINDS: Mapping[str, str] = {"stored_completions": "chat completions", "responses": "responses"}
SETTINGS = ("temperature", "top_p", "seed", "max_completion_tokens", "response_format", "tools", "reasoning_effort")


def load_rows(backend: Backend, source: Mapping[str, Any]) -> list[dict[str, JSON]]:
    """Return the rows of a source, each with its `item` and, where it has one, its `sample`."""
    if source["type"] == "file_content":
        return [dict(row) for row in source["content"]]
    if source["type"] == "file_id":
        return list(_parse_lines(backend.read_content(source["id"])))
    kind = STORED_KINDS[source["type"]]
    page = backend.objects.page(
        kind, limit=min(source.get("limit") or MOST_ROWS, MOST_ROWS), where=lambda one: _matches(one, source)
    )
    return [_build_row(one) for one in page.items]


def _parse_lines(data: bytes) -> Iterator[dict[str, JSON]]:
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            row = parse(line)
        except InvalidDocument:
            row = None
        if not is_object(row) or not is_object(row.get("item")):
            raise bad_request(
                f"Line {number} of the file is not a JSON object with an 'item'.", "data_source.source.id"
            )
        yield dict(row)


def _matches(stored: Mapping[str, JSON], source: Mapping[str, JSON]) -> bool:
    made = stored.get("created", stored.get("created_at", 0))
    wanted = members(source.get("metadata"))
    return (
        source.get("model") in (None, stored.get("model"))
        and (source.get("created_after") or 0) <= made <= (source.get("created_before") or made)
        and all(members(stored.get("metadata")).get(name) == value for name, value in wanted.items())
    )


def _build_row(stored: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return the row of a stored answer: its input and its output."""
    choices = items(stored.get("choices"))
    if choices:
        text = members(choices[0].get("message")).get("content") or ""
    else:
        parts = [part for item in items(stored.get("output")) for part in items(members(item).get("content"))]
        text = "".join(part.get("text", "") for part in map(members, parts))
    item: dict[str, JSON] = {
        "input": stored.get("messages") or stored.get("input") or [],
        "output": text,
        "id": stored["id"],
    }
    return {"item": item, "sample": {"output_text": text, "model": stored.get("model")}}


async def sample_row(backend: Backend, source: Mapping[str, Any], row: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return the sample of a row in the form of an output item."""
    model = source.get("model")
    known = members(row.get("sample"))
    if model is None:
        text = known.get("output_text", "")
        return _build_sample([], ModelAnswer(text, {}), known.get("model") or "", {})
    settings = {name: value for name, value in members(source.get("sampling_params")).items() if name in SETTINGS}
    try:
        messages = _build_messages(source.get("input_messages"), row["item"])
        answer = await ask_model(backend, model, messages, settings)
    except UnknownVariable as reason:
        messages, answer = [], ModelAnswer("", {}, error=str(reason))
    return _build_sample(messages, answer, model, settings)


def _build_messages(wanted: JSON, item: JSON) -> list[dict[str, JSON]]:
    """Return the messages of a template, or those that a reference into the item names."""
    body = members(wanted)
    if body.get("type") == "template":
        return fill_messages(body["template"], {"item": item})
    value: JSON = {"item": item}
    for key in str(body.get("item_reference") or "item.input").split("."):
        value = members(value).get(key)
    if is_list(value):
        return fill_messages(value, {})
    if value is None:
        raise UnknownVariable(f"the item has nothing at '{body.get('item_reference')}'")
    return [{"role": "user", "content": str(value)}]


def _build_sample(
    messages: list[dict[str, JSON]], answer: ModelAnswer, model: str, settings: Mapping[str, JSON]
) -> dict[str, JSON]:
    usage = {name: answer.usage.get(name, 0) for name in ("prompt_tokens", "completion_tokens", "total_tokens")}
    sample: dict[str, JSON] = {"input": messages, "output": [{"role": "assistant", "content": answer.text}]}
    sample |= {"finish_reason": answer.finish_reason, "model": model, "usage": {**usage, "cached_tokens": 0}}
    sample |= {"error": {"code": "server_error" if answer.error else "", "message": answer.error}}
    sample |= {"temperature": settings.get("temperature", 1), "top_p": settings.get("top_p", 1)}
    limit = settings.get("max_completion_tokens", 2048)
    return {**sample, "seed": settings.get("seed", 42), "max_completion_tokens": limit}


RUNS = "eval runs"
ITEMS = "eval run output items"
ROWS = "sandbox eval rows"
"""Below a run: the rows that are still to be evaluated."""
ROWS_A_TURN = 50
"""Rows that are evaluated before other tasks have their turn."""
Run = dict[str, Any]
CANCELLABLE = ("queued", "in_progress")


async def advance_run(backend: Backend, timer: Timer) -> float | None:
    """Advance a run to its next state."""
    run_id, eval_id = timer.id, timer.parent
    run, known = backend.objects.get(RUNS, run_id, eval_id), backend.objects.get(EVALS, eval_id)
    if run is None or known is None or run["status"] not in ("queued", "in_progress"):
        return None
    if run["status"] == "queued":
        backend.objects.put(RUNS, {**run, "status": "in_progress"}, eval_id)
        return timer.due + backend.options.pace
    below = f"{eval_id}/{run_id}"
    rows = backend.objects.page(ROWS, below, limit=ROWS_A_TURN, order="asc")
    for row in rows.items:
        await _evaluate_row(backend, run, known["testing_criteria"], row)
        backend.objects.delete(ROWS, row["id"], below)
        backend.objects.put(RUNS, run, eval_id)
    if rows.has_more:
        return backend.now()
    run["status"] = "failed" if _all_errored(run) else "completed"
    if run["status"] == "failed":
        run["error"] = {"code": "server_error", "message": "No item could be gone through; the output items say why."}
    backend.objects.put(RUNS, run, eval_id)
    backend.send_webhook("eval.run.failed" if run["status"] == "failed" else "eval.run.succeeded", {"id": run_id})
    return None


async def _evaluate_row(
    backend: Backend, run: Run, criteria: Sequence[Mapping[str, Any]], row: Mapping[str, Any]
) -> None:
    sample = await sample_row(backend, run["data_source"], row["row"])
    text = sample["output"][0]["content"]
    names = build_variables(row["row"].get("item", {}), text)
    grades = [await grade_sample(backend, criterion, names) for criterion in criteria]
    errored = bool(sample["error"]["message"]) or any(grade.fault for grade in grades)
    status = "error" if errored else "pass" if all(grade.passed for grade in grades) else "fail"
    item: dict[str, JSON] = {"id": backend.new_id("outputitem_"), "object": "eval.run.output_item"}
    item |= {"created_at": int(backend.now()), "run_id": run["id"], "eval_id": run["eval_id"], "status": status}
    item |= {"datasource_item_id": int(row["id"]), "datasource_item": row["row"].get("item", {}), "sample": sample}
    item["results"] = [_build_result(criterion, grade) for criterion, grade in zip(criteria, grades, strict=True)]
    backend.objects.put(ITEMS, item, f"{run['eval_id']}/{run['id']}")
    run["result_counts"][{"pass": "passed", "fail": "failed", "error": "errored"}[status]] += 1
    _tally(run, criteria, grades)
    _add_usage(run, sample)


def _build_result(criterion: Mapping[str, Any], grade: Grade) -> dict[str, JSON]:
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


def create_run(request: Request, backend: Backend) -> Answer:
    known = backend.require_object(EVALS, request.path["eval_id"])
    body = get_body(request)
    source = body["data_source"]
    rows = load_rows(backend, source["source"])
    run: dict[str, JSON] = {"id": backend.new_id("evalrun_"), "object": "eval.run", "eval_id": known["id"]}
    run |= {"created_at": int(backend.now()), "status": "queued", "name": body.get("name", "")}
    run |= {"data_source": source, "model": source.get("model", ""), "metadata": body.get("metadata", {})}
    run |= {"error": {"code": "", "message": ""}, "per_model_usage": [], "per_testing_criteria_results": []}
    run["result_counts"] = {"total": len(rows), "passed": 0, "failed": 0, "errored": 0}
    run["report_url"] = f"https://platform.openai.com/evaluations/{known['id']}?run_id={run['id']}"
    backend.objects.put(RUNS, run, known["id"])
    for index, row in enumerate(rows):
        backend.objects.put(ROWS, {"id": str(index), "row": row}, f"{known['id']}/{run['id']}")
    backend.scheduler.schedule(RUNS, run["id"], backend.now() + backend.options.pace, known["id"])
    return Answer(run)


def cancel_run(request: Request, backend: Backend) -> Answer:
    run = backend.require_object(RUNS, request.path["run_id"], request.path["eval_id"])
    if run["status"] in CANCELLABLE:
        run["status"] = "canceled"
        backend.objects.put(RUNS, run, request.path["eval_id"])
        backend.send_webhook("eval.run.canceled", {"id": run["id"]})
    elif not backend.options.lenient:
        raise bad_request(f"Run '{run['id']}' has status '{run['status']}' and cannot be canceled.")
    return Answer(run)


def delete_run(request: Request, backend: Backend) -> Answer:
    backend.require_object(RUNS, request.path["run_id"], request.path["eval_id"])
    backend.objects.delete(RUNS, request.path["run_id"], request.path["eval_id"])
    return Answer({"object": "eval.run.deleted", "deleted": True, "run_id": request.path["run_id"]})


def _by_status(request: Request) -> Condition:
    wanted = request.query.get("status")
    return lambda one: wanted in (None, one["status"])


RUN = "/evals/{eval_id}/runs/{run_id}"
HANDLERS: Mapping[str, Handler] = {
    "GET /evals/{eval_id}/runs": build_list_handler(RUNS, (EVALS, "eval_id"), order="asc", where=_by_status),
    "POST /evals/{eval_id}/runs": create_run,
    f"GET {RUN}": build_retrieve_handler(RUNS, "run_id", "eval_id"),
    f"POST {RUN}/cancel": cancel_run,
    f"DELETE {RUN}": delete_run,
    f"GET {RUN}/output_items": build_list_handler(
        ITEMS, (EVALS, "eval_id"), (RUNS, "run_id"), order="asc", where=_by_status
    ),
    f"GET {RUN}/output_items/{{output_item_id}}": build_retrieve_handler(ITEMS, "output_item_id", "eval_id", "run_id"),
}
