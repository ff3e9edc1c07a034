"""Removed operations: what does their work today, and how requests and answers are translated."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from connector.catalogue import Catalogue
from connector.catalogue.operation import Operation
from connector.declarations import folder
from connector.errors import UnknownName
from connector.model import JSON, Fault, InvalidRequest, Request, is_list, is_object, members
from connector.model_registry import LifeCycle, Model, ModelRegistry, current_day, load_registry

__all__ = ["AnswerForm", "Successors", "Translation", "describe_successor", "find_declaration", "has_successor"]

FILE = Path("successors") / "removed.yaml"
USES = re.compile(r"\b(path|query|payload)\b(?:\.(\w+))?")
Context = dict[str, JSON]


@cache
def _read_declarations() -> dict[str, JSON]:
    from connector.yaml import read_yaml

    path = folder("entities") / FILE
    return members(read_yaml(path.read_bytes(), str(path)))


def find_declaration(operation: Operation) -> dict[str, JSON]:
    """Return what is declared of a removed operation: its `successors`, or why there are `none`."""
    declared = members(_read_declarations()["operations"]).get(operation.wire_name)
    return {"successors": declared} if is_list(declared) else members(declared)


def has_successor(operation: Operation) -> bool:
    """Return whether another operation does the work of a removed one."""
    return "successors" in find_declaration(operation)


def describe_successor(catalogue: Catalogue, operation: Operation) -> str:
    """Return what does the work of a removed operation today, in words."""
    declared = find_declaration(operation)
    if "successors" not in declared:
        return f"it has no successor: {declared['none']}" if "none" in declared else "look for its successor"
    names = dict.fromkeys(_find_name(catalogue, each["to"]) for each in declared["successors"])
    return f"{' or '.join(names)} takes its place"


def _find_name(catalogue: Catalogue, wire_name: str) -> str:
    try:
        return catalogue.find(wire_name).name
    except UnknownName:
        return wire_name


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """Gives answers of the successor the shape of the removed operation's."""

    whole: JSON
    event: JSON

    def __call__(self, body: JSON) -> JSON:
        """Return an answer, or all events of one, in the old shape."""
        if is_list(body):
            return [self.restore_event(datum) for datum in body]
        return _shape(self.whole, body)

    def restore_event(self, datum: JSON) -> JSON:
        """Return one event of a stream in the old shape."""
        return _shape(self.event, datum)


def _shape(form: JSON, body: JSON) -> JSON:
    """Return a body in a form; a body of another kind, or one that the form does not fit, stays as it is."""
    from jmespath.exceptions import JMESPathError

    if form is None or not is_object(body):
        return body
    try:
        return _fill(form, body)
    except JMESPathError:
        return body


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """A removed operation's request as its successor takes it."""

    operation: Operation
    request: Request
    warnings: tuple[Fault, ...]
    answer: AnswerForm


class Successors:
    """Translates requests of removed operations.

    Args:
        catalogue: the operations.
        registry: what is known of models; without it only names of retired models are replaced.
        today: the day on which requests are made.
    """

    def __init__(
        self, catalogue: Catalogue, registry: ModelRegistry | None = None, today: Callable[[], date] = current_day
    ) -> None:
        self._catalogue = catalogue
        self._registry = registry
        self._today = today

    def refusal(self, operation: Operation) -> InvalidRequest:
        """Return the refusal of a removed operation, which names its successor."""
        successor = describe_successor(self._catalogue, operation)
        hint = "on_removed: successor sends it there" if has_successor(operation) else ""
        where = f"operation {operation.name}"
        fault = Fault(where, f"removed from the API on {operation.removed}", successor, hint)
        return InvalidRequest(operation.name, [fault])

    def warn_of_path(self, operation: Operation) -> Fault:
        """Return the warning that a removed operation is called by its path, which is never translated."""
        successor = describe_successor(self._catalogue, operation)
        hint = f"`call {operation.name}` with on_removed: successor is sent there" if has_successor(operation) else ""
        allowed = f"a path is sent as it is, and the API may refuse it; {successor}"
        return Fault(f"operation {operation.name}", f"removed from the API on {operation.removed}", allowed, hint)

    def as_asked(self, operation: Operation, asked: Request) -> Request:
        """Return the request without what only the successor takes."""
        extra = [members(each.get("also")) for each in find_declaration(operation).get("successors", ())]
        payload = {name for each in extra for name in each.get("payload", ())}
        query = {name for each in extra for name in each.get("query", ())}
        given = members(asked.payload)
        return replace(
            asked,
            query={name: value for name, value in asked.query.items() if name not in query},
            payload={k: v for k, v in given.items() if k not in payload} if payload & given.keys() else asked.payload,
        )

    def find_called(self, operation: Operation) -> Operation:
        """Return the first successor of a removed operation; the operation itself where it has none."""
        declared = find_declaration(operation).get("successors")
        return self._catalogue.find(declared[0]["to"]) if declared else operation

    def translate(self, operation: Operation, asked: Request) -> Translation:
        """Return the request of the successor; raise InvalidRequest where there is none, or none that can take it."""
        if not has_successor(operation):
            raise self.refusal(operation)
        context: Context = {"path": dict(asked.path), "query": dict(asked.query), "payload": asked.payload}
        for declared in find_declaration(operation)["successors"]:
            model, model_warnings = self._choose_model(members(declared.get("model")), context)
            if model is None and "model" in declared:
                continue
            return self._translate(operation, declared, asked, {**context, "model": model}, model_warnings)
        raise self.refusal(operation)

    def _translate(
        self, operation: Operation, declared: Mapping[str, JSON], asked: Request, context: Context, said: list[Fault]
    ) -> Translation:
        successor = self._catalogue.find(declared["to"])
        faults = [
            Fault(each["where"], each["found"], f"{successor.name} takes its place, and {each['allowed']}")
            for each in declared.get("refuses", ())
            if _search(each["when"], context)
        ]
        if faults:
            raise InvalidRequest(operation.name, faults)
        sections = members(_drop_nulls(_fill(declared.get("request", {}), context)))
        payload = sections.get("payload")
        if said and is_object(payload):
            payload, dropped = self._drop_refused(successor, context["model"], payload)
            said = [*said, *dropped]
        request = Request(sections.get("path", {}), sections.get("query", {}), payload, asked.headers)
        instead = Fault(
            f"operation {operation.name}", f"removed from the API on {operation.removed}", f"{successor.name} is called"
        )
        warnings = (instead, *said, *_find_left_out(declared, context))
        return Translation(operation=successor, request=request, warnings=warnings, answer=_find_form(declared))

    def _choose_model(self, declared: Mapping[str, JSON], context: Context) -> tuple[str | None, list[Fault]]:
        """Return the model that is asked, or what takes the place of a retired one; None where nothing does."""
        if not declared:
            return None, []
        where, role = str(declared["from"]), declared.get("role")
        name = _search(where, context)
        if isinstance(name, str) and name and not self._is_retired(name):
            return name, []
        if role is None:
            return None, []
        registry = self._registry or load_registry(self._catalogue.folder)
        following = registry.successor(name, self._today()) if isinstance(name, str) else None
        chosen = following.name if following is not None else registry.default(str(role))
        found = f"{name} is retired" if name else "missing"
        return chosen, [Fault(where, found, f"{chosen} takes its place")]

    def _is_retired(self, name: str) -> bool:
        if any(fnmatchcase(name, pattern) for pattern in _read_declarations()["retired"]):
            known = self._find_model(name)
            return known is None or known.life_cycle(self._today()) is LifeCycle.RETIRED
        known = self._find_model(name)
        return known is not None and known.life_cycle(self._today()) is LifeCycle.RETIRED

    def _find_model(self, name: str) -> Model | None:
        return None if self._registry is None else self._registry.find(name)

    def _drop_refused(
        self, successor: Operation, model: str, payload: Mapping[str, JSON]
    ) -> tuple[dict[str, JSON], list[Fault]]:
        """Return the payload without what the model that was put in place of another refuses."""
        known = self._find_model(model)
        refused = [] if known is None else [each for each in known.refusals(successor.name) if each.concerns(payload)]
        names = {each.parameter for each in refused}
        faults = [Fault(f"payload.{name}", f"{model} refuses it", "it is left out") for name in sorted(names)]
        return {name: value for name, value in payload.items() if name not in names}, faults


def _find_form(declared: Mapping[str, JSON]) -> AnswerForm:
    return AnswerForm(declared.get("answer"), declared.get("event"))


def _find_left_out(declared: Mapping[str, JSON], context: Context) -> Iterator[Fault]:
    """Yield a warning for each value of the request that its successor does not get."""
    texts = [*_iter_texts(declared.get("request", {})), str(members(declared.get("model")).get("from", ""))]
    used = {match.groups() for text in texts for match in USES.finditer(text)}
    for section in ("path", "query", "payload"):
        for name, value in members(context[section]).items():
            if value is not None and (section, None) not in used and (section, name) not in used:
                yield Fault(f"{section}.{name}", "the successor has nothing like it", "it is left out")


def _iter_texts(value: JSON) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in members(value).values() if is_object(value) else value if is_list(value) else ():
        yield from _iter_texts(inner)


def _fill(form: JSON, root: JSON) -> JSON:
    """Return a form with the value of each of its expressions."""
    if isinstance(form, str):
        return _search(form, root)
    if is_list(form):
        return [_fill(each, root) for each in form]
    if "as" not in form:
        return {name: _fill(each, root) for name, each in form.items()}
    shape = members(_read_declarations()["shapes"])[form["as"]]
    if "each" not in form:
        return _fill(shape, root)
    return [_fill(shape, each) for each in _search(form["each"], root) or ()]


def _drop_nulls(value: JSON) -> JSON:
    """Return a request's objects without nulls, and without objects that held nothing else."""
    if not is_object(value):
        return value
    kept = {name: _drop_nulls(each) for name, each in value.items()}
    return {name: each for name, each in kept.items() if each is not None and (each != {} or value[name] == {})}


def _search(text: str, root: JSON) -> JSON:
    return _compile(text).search(root)


@lru_cache(maxsize=512)
def _compile(text: str) -> Any:
    import jmespath

    return jmespath.compile(text)
