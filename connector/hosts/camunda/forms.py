"""The fields of a form: a schema's property as one control, or as a choice of forms with a control for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from connector.catalogue.flat_schema import FlatSchema
from connector.documents import dump
from connector.model import JSON, is_document

__all__ = ["FormWriter", "Place"]

Kind = Literal["choice", "text", "number", "boolean", "object", "file", "json"]
LONG = frozenset({"content", "input", "instructions", "prompt", "query", "text", "transcript"})
"""Names of texts that take more than a line."""
MOST_FORMS = 8
MOST_FIELDS = 12
DEEPEST = 2
"""Levels of objects that have fields of their own; deeper ones are written as an expression."""
LEFT_OUT = frozenset({"stream", "stream_options", "stream_format"})
"""Fields that have no meaning for a job, which is answered once and whole."""
NAMES: Mapping[Kind, str] = {
    "choice": "one of the list", "text": "text", "number": "a number", "boolean": "yes or no", "file": "a file",
    "json": "an expression",
}  # fmt: skip
ORDER: Mapping[Kind, int] = {"choice": 0, "json": 2}
"""The forms that are offered first and last."""
CHOICES = "choices"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a field stands.

    Attributes:
        path: the variable's name, with its members.
        label: what the form calls it.
        group: the part of the form.
        required: whether the field must be filled in.
        conditions: the choices that must have been made for the field to be there.
        depth: objects around it.
    """

    path: str
    label: str
    group: str
    required: bool
    conditions: tuple[dict[str, JSON], ...] = ()
    depth: int = 0

    def inner(self, name: str, *, required: bool) -> Place:
        """Return the place of a member."""
        label = f"{self.label}: {_words(name)}" if self.depth else _words(name).capitalize()
        path = f"{self.path}.{name}"
        return replace(self, path=path, label=label, required=required, depth=self.depth + 1)

    def under(self, choice: str, value: str, *, required: bool = True) -> Place:
        """Return the place of what is there when a choice has a value."""
        condition: dict[str, JSON] = {"property": choice, "equals": value}
        return replace(self, conditions=(*self.conditions, condition), required=required)


@dataclass(frozen=True, slots=True)
class Form:
    """One way to fill a field in."""

    kind: Kind
    shape: FlatSchema
    choices: tuple[JSON, ...] = ()


@dataclass(frozen=True, slots=True)
class FormWriter:
    """Writes the properties of element templates.

    Args:
        show: returns the choices that are offered for a field, by its path, each with what is shown of it.
    """

    show: Callable[[str, Sequence[str]], Mapping[str, str]]

    def members(self, shape: FlatSchema, place: Place, more: str = "") -> Iterator[dict[str, JSON]]:
        """Yield the fields of an object's members, required ones first.

        Args:
            more: the group of members that may be left out.
        """
        names = [name for name in shape.properties if name in shape.required]
        names += [name for name in shape.properties if name not in names]
        for name in names:
            required = name in shape.required
            if name in LEFT_OUT or (not required and shape.property(name).facts.get("deprecated")):
                continue
            inner = place.inner(name, required=required and place.required)
            if more and not required:
                inner = replace(inner, group=more)
            yield from self.field(_merge(shape.alternatives(name), inner.depth), inner)

    def field(self, forms: Sequence[Form], place: Place) -> Iterator[dict[str, JSON]]:
        """Yield the properties of one field."""
        if len(forms) == 1 and not (forms[0].kind == "object" and not place.required and forms[0].shape.required):
            yield from self._control(forms[0], place)
            return
        selector = f"{_identify(place)}.form"
        names = _name_forms(forms)
        choices = {} if place.required else {"": "(not given)"}
        choices |= {name: name for name in names}
        yield {
            **_common(place), "id": selector, "label": f"{place.label} as", "type": "Dropdown",
            "value": next(iter(choices)), CHOICES: _choices(choices),
            "binding": {"type": "zeebe:property", "name": selector},
        }  # fmt: skip
        for name, form in zip(names, forms, strict=True):
            yield from self._control(form, place.under(selector, name))

    def _control(self, form: Form, place: Place) -> Iterator[dict[str, JSON]]:
        if form.kind == "object":
            yield from self.members(form.shape, place)
            return
        shared = {**_common(place), "id": _identify(place), **_describe(form, place), **_binding(place)}
        if form.kind == "choice":
            yield shared | self._choice(form, place)
        elif form.kind == "boolean":
            given = {} if place.required else {"": "(not given)"}
            value = {"=true": "yes", "=false": "no"}
            first = "=true" if form.shape.facts.get("default") is True else "=false"
            start = first if place.required else ""
            yield shared | {"type": "Dropdown", "value": start, CHOICES: _choices({**given, **value})}
        elif form.kind in ("json", "file"):
            yield shared | {"type": "Text", "feel": "required"} | _constraints({}, place)
        elif form.kind == "number":
            yield shared | {"type": "Number", "feel": "optional"} | _constraints(_number(form.shape.facts), place)
        else:
            kind = "Text" if place.path.rsplit(".", 1)[-1] in LONG else "String"
            yield shared | {"type": kind, "feel": "optional"} | _constraints(_text(form.shape.facts), place)

    def _choice(self, form: Form, place: Place) -> dict[str, JSON]:
        texts = [one for one in form.choices if isinstance(one, str)]
        shown = dict(self.show(place.path, texts))
        shown |= {f"={dump(one).decode()}": dump(one).decode() for one in form.choices if not isinstance(one, str)}
        default = form.shape.facts.get("default")
        if len(shown) == 1 and place.required:
            return {"type": "Hidden", "value": next(iter(shown))}
        given = {} if place.required else {"": "(not given)"}
        start = "" if not place.required else default if default in shown else next(iter(shown), "")
        return {"type": "Dropdown", "value": start, CHOICES: _choices({**given, **shown})}


def _merge(ways: Sequence[FlatSchema], depth: int) -> list[Form]:
    """Return the forms of a property: ways of one kind are one form, objects that say their type stay apart."""
    found: dict[str, Form] = {}
    for way in ways:
        form = _form(way, depth)
        key = form.kind if form.kind != "object" else f"object {_type_of(way)}"
        known = found.get(key)
        if known is None:
            found[key] = form
        elif form.kind == "choice":
            choices = (*known.choices, *(one for one in form.choices if one not in known.choices))
            found[key] = Form("choice", known.shape, choices)
        elif form.kind == "object":
            found.pop(key)
            found["json"] = Form("json", way)
    forms = sorted(found.values(), key=lambda form: ORDER.get(form.kind, 1))
    return forms if 0 < len(forms) <= MOST_FORMS else [Form("json", ways[0] if ways else FlatSchema({}, {}))]


def _form(shape: FlatSchema, depth: int) -> Form:
    """Return the form of one way to satisfy a property."""
    choices = tuple(one for one in shape.choices if one is not None)
    types = [one for one in shape.types if one != "null"]
    if shape.is_file:
        return Form("file", shape)
    if choices and all(isinstance(one, str | int | float) for one in choices):
        return Form("choice", shape, choices)
    if len(types) != 1:
        return Form("json", shape)
    kinds: dict[str, Kind] = {"string": "text", "integer": "number", "number": "number", "boolean": "boolean"}
    if types[0] in kinds:
        return Form(kinds[types[0]], shape)
    is_shown = types[0] == "object" and 0 < len(shape.properties) <= MOST_FIELDS and depth <= DEEPEST
    return Form("object" if is_shown else "json", shape)


def _type_of(shape: FlatSchema) -> str:
    """Return what an object says that it is; empty where it does not."""
    said: Sequence[JSON] = shape.property("type").choices if "type" in shape.properties else ()
    return str(said[0]) if len(said) == 1 else ""


def _name_forms(forms: Sequence[Form]) -> list[str]:
    names = [_type_of(form.shape) or "fields" if form.kind == "object" else NAMES[form.kind] for form in forms]
    is_open = {form.kind for form in forms} == {"choice", "text"}
    return ["another" if is_open and name == "text" else name for name in names]


def _common(place: Place) -> dict[str, JSON]:
    shown: dict[str, JSON] = {"label": place.label, "group": place.group}
    if len(place.conditions) == 1:
        shown["condition"] = place.conditions[0]
    elif place.conditions:
        shown["condition"] = {"allMatch": list(place.conditions)}
    return shown


def _identify(place: Place) -> str:
    """Return an id of a field's own: one of several forms has its form's name in it."""
    forms = [str(condition["equals"]).replace(" ", "-") for condition in place.conditions]
    return "/".join([place.path, *forms])


def _binding(place: Place) -> dict[str, JSON]:
    return {"binding": {"type": "zeebe:input", "name": place.path}}


def _describe(form: Form, place: Place) -> dict[str, JSON]:
    """Return what is said below a field: what is allowed, and what is assumed where it is left out."""
    facts = form.shape.facts
    said: list[str] = [str(facts["description"]).rstrip(".")] if isinstance(facts.get("description"), str) else []
    if form.kind == "file":
        said.append('an expression such as = {"$content": base64, "filename": "a.pdf"}')
    elif form.kind == "json":
        said.append("an expression that gives an object" if "object" in form.shape.types else "an expression")
    if form.kind == "number":
        said += [_bounds(facts)] if _bounds(facts) else []
    default = facts.get("default")
    if default is not None and not place.required and not is_document(default):
        said.append(f"{default if isinstance(default, str) else dump(default).decode()} where it is left out")
    text = "; ".join(said)
    return {"description": f"{text[:1].upper()}{text[1:]}."} if text else {}


def _bounds(facts: Mapping[str, JSON]) -> str:
    low, high = facts.get("minimum"), facts.get("maximum")
    whole = "a whole number" if facts.get("type") == "integer" or "integer" in (facts.get("type") or ()) else ""
    if low is not None and high is not None and abs(high) < 2**53:
        return f"{whole or 'a number'} from {low} to {high}"
    if low is not None and abs(low) < 2**53:
        return f"{whole or 'a number'} from {low}"
    return f"{whole or 'a number'} up to {high}" if high is not None and abs(high) < 2**53 else whole


def _number(facts: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return the constraints of a number, as far as an expression over its digits can tell them."""
    sign = "" if isinstance(low := facts.get("minimum"), int | float) and low >= 0 else "-?"
    whole = facts.get("type") == "integer" or "integer" in (facts.get("type") or ())
    digits = r"\d+" if whole else r"\d+(\.\d+)?"
    message = _bounds(facts) or "a number"
    return {"pattern": {"value": f"^(=.*|{sign}{digits})$", "message": f"Must be {message}"}}


def _text(facts: Mapping[str, JSON]) -> dict[str, JSON]:
    bounds = {name: facts[name] for name in ("minLength", "maxLength") if isinstance(facts.get(name), int)}
    return {name: bound for name, bound in bounds.items() if not (name == "minLength" and bound == 0)}


def _constraints(found: Mapping[str, JSON], place: Place) -> dict[str, JSON]:
    """Return constraints with whether the field may be empty."""
    if place.required:
        return {"constraints": {"notEmpty": True, **found}}
    # An empty optional field has no length to check: the modeler would refuse a template that asks both.
    kept = {name: value for name, value in found.items() if name != "minLength"}
    return {"constraints": kept} if kept else {}


def _choices(choices: Mapping[str, str]) -> list[JSON]:
    return [{"name": name, "value": value} for value, name in choices.items()]


def _words(name: str) -> str:
    return name.replace("_", " ")
