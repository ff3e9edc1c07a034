"""Exported connections, routes, schedules and storages."""

from __future__ import annotations

from collections.abc import Callable

from connector.config.models.measures import check_every
from connector.migrate.alumio.export import Exported
from connector.migrate.alumio.requests import translate_request
from connector.migrate.alumio.steps import Translator
from connector.migrate.folder import Entry
from connector.migrate.notation import as_list, as_map, translate_text, translate_value
from connector.migrate.report import ObjectLog
from connector.model import JSON
from connector.yaml.writer import Commented

__all__ = [
    "Named",
    "translate_incoming",
    "translate_outgoing",
    "translate_route",
    "translate_schedule",
    "translate_storage",
]

Named = dict[str, dict[str, str]]
"""What connections and routes are called here, by section and identifier."""

Part = tuple[str, dict[str, JSON], list[JSON]]
"""A prototype, its parameters, and steps that come before or after."""


def translate_incoming(exported: Exported, name: str, translator: Translator) -> Entry:
    """Return an incoming connection; one that cannot be read is disabled, with a file in the subscriber's place."""
    given = exported.parameters
    raw = as_map(given.get("subscriber"))
    translator.entity_type = str(given.get("entityType") or "")
    part = _part(SUBSCRIBERS, "subscriber", raw, name, translator)
    prototype, parameters, first = part or ("file", {"url": f"{name}.jsonl"}, [])
    asked = [
        step
        for key in ("inputTransformers", "inputs")
        for step in translator.translate_steps(given.get(key), f"parameters.{key}")
    ]
    chain = [*first, *translator.translate_steps(given.get("transformers"), "parameters.transformers")]
    body: dict[str, JSON] = {
        "description": exported.title,
        "subscriber": {"prototype": prototype, "parameters": parameters},
        **({"input": asked} if asked else {}),
        **({"chain": chain} if chain else {}),
    }
    return _entry("incoming", name, body, exported, replaced=part is None)


def translate_outgoing(exported: Exported, name: str, translator: Translator) -> Entry:
    """Return an outgoing connection; one that cannot be published to is disabled."""
    given = exported.parameters
    raw = as_map(given.get("publisher"))
    chain = translator.translate_steps(given.get("transformers"), "parameters.transformers")
    part = _part(PUBLISHERS, "publisher", raw, name, translator)
    prototype, parameters, last = part or ("none", {}, [])
    publisher: dict[str, JSON] = {"prototype": prototype} | ({"parameters": parameters} if parameters else {})
    chain += last
    answer = translator.translate_steps(given.get("responseTransformers"), "parameters.responseTransformers")
    body: dict[str, JSON] = {
        "description": exported.title,
        **({"chain": chain} if chain else {}),
        "publisher": publisher,
        **({"answer": {"chain": answer}} if answer else {}),
    }
    return _entry("outgoing", name, body, exported, replaced=part is None)


def _entry(section: str, name: str, body: dict[str, JSON], exported: Exported, *, replaced: bool) -> Entry:
    if exported.disabled or replaced:
        body["disabled"] = True
    notes = (
        ["What it read from or wrote to has no counterpart here; see the report, then enable it."] if replaced else []
    )
    return Entry(section, name, body, exported.title, exported.comment, notes)


def _part(known: dict[str, Make], noun: str, raw: dict[str, JSON], name: str, translator: Translator) -> Part | None:
    prototype, given = str(raw.get("prototype") or ""), as_map(raw.get("parameters"))
    make = known.get(prototype) or (_openai if prototype.startswith("openai") else None)
    if make is None:
        what = f"the {noun} {prototype!r} has no counterpart here" if prototype else f"there is no {noun}"
        translator.log.add_refused(raw, f"parameters.{noun}", f"{what}; the connection is kept, disabled")
        return None
    translator.log.count_mapped(prototype)
    return make(given, name, translator)


def _http_in(given: dict[str, JSON], name: str, translator: Translator) -> Part:  # noqa: ARG001  what all of them take
    path = "parameters.subscriber"
    request = translate_request(as_map(given.get("request")), f"{path}.request", translator.log)
    parameters: dict[str, JSON] = {"client": translator.names.client(given, translator.log), "request": request}
    reader = as_map(given.get("deserializer"))
    if (kind := reader.get("prototype")) == "json":
        translator.log.count_mapped("json")
        pattern = as_map(reader.get("parameters")).get("pattern")
        if isinstance(pattern, str) and pattern:
            parameters["items"] = pattern.removesuffix(".*")
    elif kind is not None:
        translator.log.add_refused(
            reader, f"{path}.deserializer", f"{kind!r} is not known here; answers are read as JSON"
        )
    if paging := translate_pagination(as_map(given.get("pagination")), f"{path}.pagination", translator.log):
        parameters["paging"] = paging
    if request["method"] not in ("GET", "POST", "HEAD"):
        translator.log.add_changed(f"{path}.request.method", f"{request['method']} reads nothing here; GET is sent")
        request["method"] = "GET"
    request.pop("payload_type", None)
    return "http", parameters, []


def _storage_in(given: dict[str, JSON], name: str, translator: Translator) -> Part:  # noqa: ARG001
    storage = translator.names.find("storages", str(given.get("storage") or "unnamed"), translator.log)
    translator.log.add_changed("parameters.subscriber", "a storage is read as the files in its folder")
    size = given.get("groupSize")
    step: JSON = Commented({"expression": "value"}, "A stored file holds {key, value}.")
    if isinstance(size, int) and size > 0 and given.get("groupItems"):
        step = Commented(
            {"aggregate": {"size": size, "value": "&{value}", "destination": ""}}, "Groups of what is stored."
        )
    return "file", {"url": f"storage/{storage}/*/*.json"}, [step]


def _http_out(given: dict[str, JSON], name: str, translator: Translator) -> Part:  # noqa: ARG001
    request = translate_request(as_map(given.get("request")), "parameters.publisher.request", translator.log)
    # The document that comes out of the chain is what the publisher's request speaks of.
    steps: list[JSON] = [
        Commented({"http-transformer": {"client": translator.names.client(given, translator.log), "request": request}})
    ]
    return "none", {}, steps


def _openai(given: dict[str, JSON], name: str, translator: Translator) -> Part:  # noqa: ARG001
    request = as_map(translate_value(as_map(given.get("request"))))
    sections = {key: translate_value(given[key]) for key in ("path", "query") if given.get(key)} | {
        key: request[key] for key in ("path", "query", "headers") if request.get(key)
    }
    parameters: dict[str, JSON] = {"client": translator.names.client(given, translator.log)}
    parameters |= {key: translate_text(str(given[key])) for key in ("entity", "action") if given.get(key)}
    return "openai", parameters | ({"request": sections} if sections else {}), []


def _none(given: dict[str, JSON], name: str, translator: Translator) -> Part:  # noqa: ARG001
    return "none", {}, []


Make = Callable[[dict[str, JSON], str, Translator], Part]
SUBSCRIBERS: dict[str, Make] = {
    "http-subscriber": _http_in,
    "http-subscriber-v2": _http_in,
    "storage-subscriber": _storage_in,
}
PUBLISHERS: dict[str, Make] = {
    "http-publisher": _http_out,
    "http-publisher-v2": _http_out,
    "no-action-publisher": _none,
}


def translate_pagination(raw: dict[str, JSON], path: str, log: ObjectLog) -> dict[str, JSON] | None:
    """Return our pagination; None when there is one page, or a kind that is not known."""
    kind = raw.get("prototype")
    if not isinstance(kind, str):
        return None
    given = as_map(raw.get("parameters"))
    found = _paging_of(kind, given)
    if found is None:
        log.add_refused(raw, path, f"the pagination {kind!r} has no counterpart here; one page is read")
        return None
    log.count_mapped(kind)
    for name in ("pageLimit", "page_limit"):
        if given.get(name):
            log.add_changed(
                f"{path}.{name}",
                f"pages are not counted here; give `limit`, in documents, to stop early ({given[name]})",
            )
    return found


def _paging_of(kind: str, given: dict[str, JSON]) -> dict[str, JSON] | None:
    name = str(given.get("parameter") or given.get("queryParameter") or given.get("name") or "")
    pattern = given.get("pattern")
    if kind in ("next", "next-link") and isinstance(pattern, str) and pattern:
        return {"by": "next_link", "read": pattern}
    if kind in ("link", "link-header", "next", "next-link"):
        return {"by": "next_link"}
    if kind in ("page", "page-number"):
        return {"by": "page", "write": f"query.{name or 'page'}"}
    if kind in ("offset", "limit-offset"):
        return {"by": "offset", "write": f"query.{name or 'offset'}"}
    if kind == "cursor" and isinstance(pattern, str) and pattern:
        return {"by": "cursor", "read": pattern, "write": f"query.{name or 'cursor'}"}
    return None


def translate_route(exported: Exported, name: str, translator: Translator, named: Named) -> Entry | None:
    """Return a route when both its ends are part of the export."""
    given, log = exported.parameters, exported.log
    body: dict[str, JSON] = {"description": exported.title}
    for end in ("incoming", "outgoing"):
        found = named[end].get(str(given.get(end)))
        if found is None:
            log.add_lost(
                f"parameters.{end}", f"{end} {given.get(end)!r} is not part of the export; the route is left out"
            )
            return None
        body[end] = found
    if chain := translator.translate_steps(given.get("transformers"), "parameters.transformers"):
        body["chain"] = chain
    parallel = as_map(given.get("parallelExecution"))
    most = parallel.get("maximumProcesses")
    if parallel.get("enabled") and isinstance(most, int) and most > 0:
        body["concurrency"] = most
    if given.get("realtime"):
        log.add_changed("parameters.realtime", "a route has no such mode here; its documents go through the queue")
    if given.get("waitingStatus"):
        log.add_changed("parameters.waitingStatus", "tasks do not wait to be released here")
    return Entry("routes", name, body | _disable(exported), exported.title, exported.comment)


def translate_schedule(exported: Exported, name: str, named: Named) -> Entry | None:
    """Return a schedule when it starts something that is part of the export."""
    given, log = exported.parameters, exported.log
    jobs = enumerate(as_list(given.get("job")))
    made = [_job(as_map(item), f"parameters.job[{index}]", named, log) for index, item in jobs]
    run: list[JSON] = [job for job in made if job is not None]
    every = " ".join(str(given.get("expression") or "").split())
    try:
        check_every(every)
    except ValueError as error:
        log.add_lost("parameters.expression", f"{error}; the schedule is left out")
        return None
    if not run:
        log.add_lost("parameters.job", "nothing that it starts is part of the export; the schedule is left out")
        return None
    if as_list(given.get("handlers")):
        log.add_refused(given["handlers"], "parameters.handlers", "schedules have no handlers here; left out")
    body: dict[str, JSON] = {"description": exported.title, "every": every, "run": run}
    return Entry("schedules", name, body | _disable(exported), exported.title, exported.comment)


def translate_storage(exported: Exported, name: str) -> Entry:
    """Return a storage without its content."""
    given, log = exported.parameters, exported.log
    if given.get("enablePruning"):
        log.add_changed("parameters.enablePruning", "storages are not pruned here")
    if as_list(as_map(as_map(given.get("logger")).get("parameters")).get("actions")):
        log.add_changed("parameters.logger", "changes of storages are not logged here")
    return Entry("storages", name, {"description": exported.title}, exported.title, exported.comment)


def _job(raw: dict[str, JSON], path: str, named: Named, log: ObjectLog) -> JSON:
    kind, given = raw.get("prototype"), as_map(raw.get("parameters"))
    part = {"run-incoming": "incoming", "run-outgoing": "route"}.get(str(kind))
    if part is None:
        log.add_refused(raw, path, f"the job {kind!r} has no counterpart here; left out")
        return None
    found = named["routes" if part == "route" else part].get(str(given.get(part)))
    if found is None:
        log.add_refused(raw, path, f"{part} {given.get(part)!r} is not part of the export; left out")
        return None
    log.count_mapped(str(kind))
    if given.get("numTasks"):
        log.add_changed(f"{path}.numTasks", f"a run takes all that waits, not {given['numTasks']} tasks")
    return {part: found}


def _disable(exported: Exported) -> dict[str, JSON]:
    return {"disabled": True} if exported.disabled else {}
