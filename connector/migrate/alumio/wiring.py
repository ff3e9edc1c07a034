"""Exported routes, schedules and storages."""

from __future__ import annotations

from connector.config.models.measures import check_every
from connector.migrate.alumio.exported import Exported
from connector.migrate.alumio.steps import Translator
from connector.migrate.folder import Entry
from connector.migrate.report import Log
from connector.migrate.shapes import as_list, as_map
from connector.model import JSON

__all__ = ["route", "schedule", "storage"]

Named = dict[str, dict[str, str]]
"""What connections and routes are called here, by section and identifier."""


def route(exported: Exported, name: str, this: Translator, named: Named) -> Entry | None:
    """A route, when both its ends are part of the export."""
    given, log = exported.parameters, exported.log
    body: dict[str, JSON] = {"description": exported.title}
    for end in ("incoming", "outgoing"):
        found = named[end].get(str(given.get(end)))
        if found is None:
            log.lost(f"parameters.{end}", f"{end} {given.get(end)!r} is not part of the export; the route is left out")
            return None
        body[end] = found
    if chain := this.steps(given.get("transformers"), "parameters.transformers"):
        body["chain"] = chain
    parallel = as_map(given.get("parallelExecution"))
    most = parallel.get("maximumProcesses")
    if parallel.get("enabled") and isinstance(most, int) and most > 0:
        body["concurrency"] = most
    if given.get("realtime"):
        log.changed("parameters.realtime", "a route has no such mode here; its documents go through the queue")
    if given.get("waitingStatus"):
        log.changed("parameters.waitingStatus", "tasks do not wait to be released here")
    return Entry("routes", name, body | _disabled(exported), exported.title, exported.comment)


def schedule(exported: Exported, name: str, named: Named) -> Entry | None:
    """A schedule, when it starts something that is part of the export."""
    given, log = exported.parameters, exported.log
    jobs = enumerate(as_list(given.get("job")))
    made = [_job(as_map(item), f"parameters.job[{index}]", named, log) for index, item in jobs]
    run: list[JSON] = [job for job in made if job is not None]
    every = " ".join(str(given.get("expression") or "").split())
    try:
        check_every(every)
    except ValueError as error:
        log.lost("parameters.expression", f"{error}; the schedule is left out")
        return None
    if not run:
        log.lost("parameters.job", "nothing that it starts is part of the export; the schedule is left out")
        return None
    if as_list(given.get("handlers")):
        log.refused(given["handlers"], "parameters.handlers", "schedules have no handlers here; left out")
    body: dict[str, JSON] = {"description": exported.title, "every": every, "run": run}
    return Entry("schedules", name, body | _disabled(exported), exported.title, exported.comment)


def storage(exported: Exported, name: str) -> Entry:
    """A storage; what it held stays where it was."""
    given, log = exported.parameters, exported.log
    if given.get("enablePruning"):
        log.changed("parameters.enablePruning", "storages are not pruned here")
    if as_list(as_map(as_map(given.get("logger")).get("parameters")).get("actions")):
        log.changed("parameters.logger", "changes of storages are not logged here")
    return Entry("storages", name, {"description": exported.title}, exported.title, exported.comment)


def _job(raw: dict[str, JSON], path: str, named: Named, log: Log) -> JSON:
    kind, given = raw.get("prototype"), as_map(raw.get("parameters"))
    part = {"run-incoming": "incoming", "run-outgoing": "route"}.get(str(kind))
    if part is None:
        log.refused(raw, path, f"the job {kind!r} has no counterpart here; left out")
        return None
    found = named["routes" if part == "route" else part].get(str(given.get(part)))
    if found is None:
        log.refused(raw, path, f"{part} {given.get(part)!r} is not part of the export; left out")
        return None
    log.mapped(str(kind))
    if given.get("numTasks"):
        log.changed(f"{path}.numTasks", f"a run takes all that waits, not {given['numTasks']} tasks")
    return {part: found}


def _disabled(exported: Exported) -> dict[str, JSON]:
    return {"disabled": True} if exported.disabled else {}
