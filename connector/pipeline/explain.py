"""The request that a document would become, with where each of its values comes from; nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace

from connector.documents import member_path
from connector.model import JSON, Outcome, State, is_document, is_list, is_object
from connector.offline import offline_mode
from connector.pipeline.incoming import IncomingRun
from connector.pipeline.runtime import Runtime
from connector.pipeline.spec import OutgoingSpec, is_request
from connector.pipeline.storage import Untouched
from connector.transform import Context as Chained
from connector.transform import Failed, Scope, TraceEntry
from connector.transform.paths import MISSING, parse_path, path_getter
from connector.transform.template import PLAIN

__all__ = ["explain_incoming", "explain_outgoing", "without_effects"]

Place = tuple[str, ...]
SEARCHED = 10_000
"""How many values of a document are looked at for one that came from it."""


async def explain_incoming(runtime: Runtime, name: str) -> JSON:
    """Return what an incoming connection would read first."""
    quiet = copy(runtime)
    quiet.chained = without_effects(runtime)
    run = IncomingRun(quiet, name)
    with offline_mode():
        explained = await run.explain()
    if is_document(explained) and "origins" in explained:
        explained["origins"] = {**_drop_refined(explained["origins"], run.origins), **run.origins}
    return _redact(explained, runtime)


async def explain_outgoing(runtime: Runtime, name: str, document: JSON) -> JSON:
    """Return what an outgoing connection would do with a document: one explanation, or one for each request."""
    spec = OutgoingSpec.of(runtime, name)
    reasons: list[str] = []
    failures: list[Failed] = []

    def skipped(_: JSON, reason: str) -> None:
        reasons.append(reason)

    def failed(_: JSON, error: Failed) -> None:
        failures.append(error)

    chained = replace(without_effects(runtime), on_skip=skipped, on_failed=failed)
    trace: list[TraceEntry] = []
    with offline_mode():
        made = [each async for each in spec.chain.whole.arun((document,), chained, trace=trace)]
    if failures:
        raise failures[0]
    if not made:
        return {"skipped": reasons[0] if reasons else "the chain made nothing of the document"}
    context = replace(spec.context(runtime), chained=chained)
    shown: list[JSON] = []
    for each in made:
        request = spec.complete(each, Scope(chained))
        with offline_mode():
            explained = await spec.writer.writes.explain(request, context)
        if is_document(explained) and spec.writer.kind.calls:
            found = _Origins(spec, document, each, trace).of(request)
            # What the catalogue and the client put in keeps the origin that they name.
            explained["origins"] = {**_drop_refined(explained.get("origins") or {}, found), **found}
        shown.append(_redact(explained, runtime))
    return shown[0] if len(shown) == 1 else shown


def without_effects(runtime: Runtime) -> Chained:
    """Return what chains are given where nothing is sent and nothing is kept."""
    storages = {key: Untouched(storage) for key, storage in runtime.chained.storages.items()}
    return replace(runtime.chained, call=_refuse_call, storages=storages)


def _drop_refined(given: Mapping[str, str], finer: Mapping[str, str]) -> dict[str, str]:
    """Return the origins that no more precise one replaces."""
    return {place: why for place, why in given.items() if not any(_is_within(inner, place) for inner in finer)}


def _is_within(inner: str, place: str) -> bool:
    return inner.startswith(place) and inner[len(place) :][:1] in ("", ".", "[")


def _redact(value: JSON, runtime: Runtime) -> JSON:
    """Return a value without the configuration's secrets; headers are redacted by name already."""
    if isinstance(value, str):
        return runtime.redact(value)
    if is_object(value):
        return {key: _redact(item, runtime) for key, item in value.items()}
    return [_redact(item, runtime) for item in value] if is_list(value) else value


async def _refuse_call(client: str, kind: str, request: JSON) -> Outcome:  # noqa: ARG001  the capability's signature
    return Outcome(State.NOT_SENT, reason="nothing is sent here, and the chain needs this answer to go on")


class _Origins:
    """Where the values of one request come from."""

    def __init__(self, spec: OutgoingSpec, document: JSON, made: JSON, trace: Sequence[TraceEntry]) -> None:
        self._document = document
        self._made = made
        self._trace = trace
        self._gave_request = spec.request is None or is_request(made)
        self._template = {origin.place: origin for origin in (spec.request.origins if spec.request else ())}
        self._paths = dict(_leaves(document))

    def of(self, request: JSON) -> dict[str, str]:
        """Return the origin of each leaf, by its place in the request."""
        found: dict[str, str] = {}
        for place, value in _leaves(request):
            found[_format_place(place)] = self._of(place, value)
        return found

    def _of(self, place: Place, value: JSON) -> str:
        if self._gave_request and path_getter(place)(self._made) is not MISSING:
            return self._of_chain(place, value)
        for depth in range(len(place), -1, -1):
            origin = self._template.get(tuple(_key(step) for step in place[:depth]))
            if origin is None:
                continue
            if origin.kind == "constant":
                return "request template"
            if origin.kind in ("variables", "now", "task", "route"):
                return f"{'variable' if origin.kind == 'variables' else origin.kind}: {origin.written}"
            made_by = [self._by_name(name) for name in origin.names if not origin.kind.startswith("var")]
            return f"request template: {origin.written}{''.join(f', {by}' for by in made_by if by)}"
        return "request template"

    def _of_chain(self, place: Place, value: JSON) -> str:
        """Return the last step that changed the value at a path, or the document when none did."""
        for step in reversed([step for step in self._trace if not step.note]):
            before, after = path_getter(place)(step.before), path_getter(place)(step.after)
            if before is MISSING or before != after:
                return f"{step.where} {step.step}{self._where(value)}"
        return f"document: {_format_place(place)}"

    def _by_name(self, name: str) -> str:
        """Return who made what a placeholder names."""
        if PLAIN.fullmatch(name) is None or name == "@":
            return ""
        place = parse_path(name)
        if path_getter(place)(self._made) is MISSING:
            return ""
        return f"{name} from {self._of_chain(place, path_getter(place)(self._made))}"

    def _where(self, value: JSON) -> str:
        """Return where the document has the same value, if that is unambiguous."""
        if isinstance(value, bool) or value in (None, "", 0, 1):
            return ""
        places = [place for place, found in self._paths.items() if type(found) is type(value) and found == value]
        return f", from document: {_format_place(places[0])}" if len(places) == 1 else ""


def _key(step: str) -> str | int:
    return int(step) if step.isdigit() else step


def _leaves(value: JSON, place: Place = ()) -> Iterator[tuple[Place, JSON]]:
    """Yield every leaf with its path."""
    count = 0
    todo: list[tuple[Place, JSON]] = [(place, value)]
    while todo and count < SEARCHED:
        where, item = todo.pop(0)
        count += 1
        if is_object(item) and item:
            todo += [((*where, key), inner) for key, inner in item.items()]
        elif is_list(item) and item:
            todo += [((*where, str(index)), inner) for index, inner in enumerate(item)]
        else:
            yield where, item


def _format_place(place: Place) -> str:
    if not place:
        return "the document"
    shown = place[0]
    for key in place[1:]:
        shown = member_path(shown, _key(key))
    return shown
