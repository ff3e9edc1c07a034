"""Steps and filters whose use here is not the same word for word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from connector.migrate.alumio.refusals import NoCounterpart
from connector.migrate.alumio.requests import our_request
from connector.migrate.alumio.values import VALUES, Parameters, Special
from connector.migrate.shapes import as_list, as_map
from connector.migrate.texts import our_text, our_value
from connector.migrate.yamltext import Noted
from connector.model import JSON, is_object
from connector.transform import registry

if TYPE_CHECKING:
    from connector.migrate.alumio.steps import Translator

__all__ = ["SPECIAL", "Special"]


def _row(this: Translator, given: Parameters, path: str) -> JSON:
    """A chain, or data without filters: nothing but its steps."""
    if not as_list(given.get("filters")):
        return this.steps(given.get("transformers"), f"{path}.transformers")
    filters = this.conditions(given["filters"], f"{path}.filters")
    return Noted(
        {"data": {"filters": filters, "transformers": this.steps(given.get("transformers"), f"{path}.transformers")}}
    )


def _setter(this: Translator, given: Parameters, path: str) -> JSON:
    settings = [_setting(this, as_map(item), path) for item in as_list(given.get("configurations"))]
    brief = {item["key"]: item["value"] for item in settings}
    simple = not any("mappers" in item for item in settings) and len(brief) == len(settings)
    if simple and not brief.keys() <= {"key", "value", "mappers"}:
        return Noted({"value-setter": {"configurations": brief}})
    return Noted({"value-setter": {"configurations": settings}}) if settings else []


def _setting(this: Translator, item: dict[str, JSON], path: str) -> dict[str, JSON]:
    made = {"key": our_text(str(item.get("key", ""))), "value": our_value(item.get("value"))}
    mappers = this.mappers(item.get("mappers"), f"{path}.configurations.{made['key']}.mappers")
    return made | ({"mappers": mappers} if mappers else {})


def _remover(_: Translator, given: Parameters, path: str) -> JSON:  # noqa: ARG001  what all of them take
    keys = [as_map(item).get("key") if is_object(item) else item for item in as_list(given.get("patterns"))]
    return Noted({"value-remover": [key for key in keys if isinstance(key, str) and key]}) if any(keys) else []


def _filter(name: str) -> Special:
    """Alumio's filters of keys and values take away what fulfils their conditions."""

    def make(this: Translator, given: Parameters, path: str) -> JSON:
        conditions = this.conditions(given.get("conditions"), f"{path}.conditions")
        accessor = this.accessor(given.get("accessor"), f"{path}.accessor")
        made: dict[str, JSON] = {"accessor": accessor} | ({"conditions": conditions} if conditions else {})
        mode = given.get("mode")
        return Noted({name: made | {"mode": mode if mode in ("keep", "drop") else "drop"}})

    return make


def _relocated(name: str) -> Special:
    """Where all matches of a pattern go to one place, the last stays there; here each match has a place of its own."""

    def make(this: Translator, given: Parameters, path: str) -> JSON:
        pattern, target = str(given.get("pattern") or ""), str(given.get("replacement") or "")
        declared = registry().steps.find(name)
        if "*" not in pattern or "$" in target or not target:
            return this.short("step", declared, given, path)
        captures = "-".join(f"${number}" for number in range(1, pattern.count("*") + 1))
        spread = this.short("step", declared, {**given, "replacement": f"{ASIDE}.at-{captures}"}, path)
        last = {
            "key": target,
            "value": f"?{{{ASIDE}}}",
            "mappers": ["list-values", {"structure": {"template": "?{@[-1]}"}}],
        }
        steps: list[JSON] = [{"value-setter": {"configurations": [last]}}, {"value-remover": [ASIDE]}]
        found = {"filters": [{"key-exists-condition": ASIDE}], "transformers": steps}
        spread.note = f"To {target}; of several, the last."
        return [spread, Noted({"conditional": found}, uses={})]

    return make


def _key_condition(this: Translator, given: Parameters, path: str) -> JSON:
    return this.conditions(given.get("filter"), f"{path}.filter")


def _stored(this: Translator, given: Parameters, path: str) -> JSON:
    """The condition of this filter says what is filtered away, so that it passes what does not fulfil it."""
    asked = this.conditions(given.get("condition"), f"{path}.condition")
    opposite = {
        "storage-entity-does-not-exists": "storage-entity-exists",
        "storage-entity-exists": "storage-entity-does-not-exists",
    }
    if len(asked) != 1 or asked[0] not in opposite:
        this.log.changed(
            path, "only conditions on whether a key is stored are known; this one is taken as: it is stored"
        )
    made: dict[str, JSON] = {
        "storage": this.names.find("storages", str(given.get("storage") or "unnamed"), this.log),
        "storage_key": our_value(given.get("storage_key")),
        "condition": opposite.get(asked[0] if asked else "", "storage-entity-exists"),
    }
    if as_map(given.get("store")).get("addEntityToStorage"):
        made["store"] = {"add_entity_to_storage": True}
    return {"storage-entity-filter": made}


def _only_new(this: Translator, given: Parameters, path: str) -> JSON:
    """What a document is known by stands with its type in Alumio."""
    made: dict[str, JSON] = {"storage": this.names.find("storages", str(given.get("storage") or "unnamed"), this.log)}
    paths = this.names.identifiers.get(this.entity_type, [])
    key = given.get("storage_key") or "|".join(f"&{{{one}}}" for one in paths)
    if key:
        made["storage_key"] = our_value(key)
    else:
        this.log.changed(path, "nothing says what a document is known by; all of it is, until storage_key is given")
    if given.get("add_entity_to_storage") in (False, 0):
        made["add_entity_to_storage"] = False
    if given.get("comparator") not in (None, "equals"):
        this.log.changed(f"{path}.comparator", "documents are compared exactly here")
    return Noted({"storage-filter-stored-entity": made})


def _typed(this: Translator, given: Parameters, path: str) -> JSON:  # noqa: ARG001
    this.entity_type = str(given.get("entity_type") or this.entity_type)
    return Noted({"type-setter": our_text(this.entity_type)}) if this.entity_type else []


def _http(this: Translator, given: Parameters, path: str) -> JSON:
    made: dict[str, JSON] = {
        "client": this.names.client(given, this.log),
        "request": our_request(as_map(given.get("request")), f"{path}.request", this.log),
    }
    if isinstance(given.get("destination"), str):
        made["destination"] = our_text(str(given["destination"]))
    return Noted({"http-transformer": made})


def _graphql(this: Translator, given: Parameters, path: str) -> JSON:
    request = as_map(given.get("request"))
    return _http(this, {**given, "request": {**request, "method": request.get("method") or "POST"}}, path)


def _to_array(_: Translator, given: Parameters, path: str) -> JSON:  # noqa: ARG001
    mapper = {"structure": {"template": "&{(type(@) == 'object' && @) || to_array(@)}"}}
    return Noted({"value-mapper": {"accessor": str(given.get("pattern") or ""), "mappers": [mapper]}})


def _joined(this: Translator, given: Parameters, path: str) -> JSON:
    """As a step, operator joins two places of the document into the first."""
    left, right, operator = given.get("left"), given.get("right"), given.get("operator")
    if not (isinstance(left, str) and isinstance(right, str) and isinstance(operator, str)):
        raise NoCounterpart(path, "the transformer 'operator' without left, right and operator has no counterpart here")
    this.log.changed(path, f"the result of {operator} is put at {left!r}")
    setting = {"key": left, "value": [f"?{{{left}}}", f"?{{{right}}}"], "mappers": [{"operator": operator}]}
    return Noted({"value-setter": {"configurations": [setting]}})


ASIDE = "_found"
"""Where things lie in between."""
SPECIAL: Mapping[tuple[str, str], Special] = {
    **VALUES,
    ("step", "chain"): _row,
    ("step", "data"): _row,
    ("step", "list-transformer-wrapper"): _row,
    ("step", "value-setter"): _setter,
    ("step", "value-remover"): _remover,
    ("step", "pattern-copy"): _relocated("pattern-copy"),
    ("step", "pattern-move"): _relocated("pattern-move"),
    ("step", "key-filter"): _filter("key-filter"),
    ("step", "value-filter"): _filter("value-filter"),
    ("step", "type-setter"): _typed,
    ("step", "storage-filter-stored-entity"): _only_new,
    ("step", "http-transformer"): _http,
    ("step", "graphql-transformer"): _graphql,
    ("step", "convert-to-array"): _to_array,
    ("step", "operator"): _joined,
    ("condition", "key-condition"): _key_condition,
    ("condition", "storage-entity-filter"): _stored,
}
