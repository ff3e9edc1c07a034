"""Steps, conditions and mappers whose counterpart here is not the same word for word."""

from __future__ import annotations

from collections.abc import Mapping

from connector.migrate.alumio.requests import translate_request
from connector.migrate.alumio.translation import Counterpart, NoCounterpart, Parameters, StepTranslator
from connector.migrate.notation import as_list, as_map, translate_text, translate_value
from connector.model import JSON, is_object
from connector.transform import registry
from connector.yaml.writer import Commented

__all__ = ["COUNTERPARTS"]


def _row(translator: StepTranslator, given: Parameters, path: str) -> JSON:
    """A chain, or data without filters: nothing but its steps."""
    if not as_list(given.get("filters")):
        return translator.translate_steps(given.get("transformers"), f"{path}.transformers")
    filters = translator.translate_conditions(given["filters"], f"{path}.filters")
    return Commented(
        {
            "data": {
                "filters": filters,
                "transformers": translator.translate_steps(given.get("transformers"), f"{path}.transformers"),
            }
        }
    )


def _setter(translator: StepTranslator, given: Parameters, path: str) -> JSON:
    settings = [_make_setting(translator, as_map(item), path) for item in as_list(given.get("configurations"))]
    brief = {item["key"]: item["value"] for item in settings}
    simple = not any("mappers" in item for item in settings) and len(brief) == len(settings)
    if simple and not brief.keys() <= {"key", "value", "mappers"}:
        return Commented({"value-setter": {"configurations": brief}})
    return Commented({"value-setter": {"configurations": settings}}) if settings else []


def _make_setting(translator: StepTranslator, item: dict[str, JSON], path: str) -> dict[str, JSON]:
    made = {"key": translate_text(str(item.get("key", ""))), "value": translate_value(item.get("value"))}
    mappers = translator.translate_mappers(item.get("mappers"), f"{path}.configurations.{made['key']}.mappers")
    return made | ({"mappers": mappers} if mappers else {})


def _remover(_: StepTranslator, given: Parameters, path: str) -> JSON:  # noqa: ARG001  what all of them take
    keys = [as_map(item).get("key") if is_object(item) else item for item in as_list(given.get("patterns"))]
    return Commented({"value-remover": [key for key in keys if isinstance(key, str) and key]}) if any(keys) else []


def _filter(name: str) -> Counterpart:
    """Alumio's filters of keys and values take away what fulfils their conditions."""

    def make(translator: StepTranslator, given: Parameters, path: str) -> JSON:
        conditions = translator.translate_conditions(given.get("conditions"), f"{path}.conditions")
        accessor = translator.translate_accessor(given.get("accessor"), f"{path}.accessor")
        made: dict[str, JSON] = {"accessor": accessor} | ({"conditions": conditions} if conditions else {})
        mode = given.get("mode")
        return Commented({name: made | {"mode": mode if mode in ("keep", "drop") else "drop"}})

    return make


def _relocate(name: str) -> Counterpart:
    """Where all matches of a pattern go to one place, the last stays there; here each match has a place of its own."""

    def make(translator: StepTranslator, given: Parameters, path: str) -> JSON:
        pattern, target = str(given.get("pattern") or ""), str(given.get("replacement") or "")
        declared = registry().steps.find(name)
        if "*" not in pattern or "$" in target or not target:
            return translator.write_briefly("step", declared, given, path)
        captures = "-".join(f"${number}" for number in range(1, pattern.count("*") + 1))
        spread = translator.write_briefly("step", declared, {**given, "replacement": f"{ASIDE}.at-{captures}"}, path)
        last = {
            "key": target,
            "value": f"?{{{ASIDE}}}",
            "mappers": ["list-values", {"structure": {"template": "?{@[-1]}"}}],
        }
        steps: list[JSON] = [{"value-setter": {"configurations": [last]}}, {"value-remover": [ASIDE]}]
        found = {"filters": [{"key-exists-condition": ASIDE}], "transformers": steps}
        spread.note = f"To {target}; of several, the last."
        return [spread, Commented({"conditional": found}, uses={})]

    return make


def _key_condition(translator: StepTranslator, given: Parameters, path: str) -> JSON:
    return translator.translate_conditions(given.get("filter"), f"{path}.filter")


def _translate_storage_filter(translator: StepTranslator, given: Parameters, path: str) -> JSON:
    """Translate a filter whose condition says what to drop; ours says what passes."""
    asked = translator.translate_conditions(given.get("condition"), f"{path}.condition")
    opposite = {
        "storage-entity-does-not-exists": "storage-entity-exists",
        "storage-entity-exists": "storage-entity-does-not-exists",
    }
    if len(asked) != 1 or asked[0] not in opposite:
        translator.log.add_changed(
            path, "only conditions on whether a key is stored are known; translation one is taken as: it is stored"
        )
    made: dict[str, JSON] = {
        "storage": translator.names.find("storages", str(given.get("storage") or "unnamed"), translator.log),
        "storage_key": translate_value(given.get("storage_key")),
        "condition": opposite.get(asked[0] if asked else "", "storage-entity-exists"),
    }
    if as_map(given.get("store")).get("addEntityToStorage"):
        made["store"] = {"add_entity_to_storage": True}
    return {"storage-entity-filter": made}


def _only_new(translator: StepTranslator, given: Parameters, path: str) -> JSON:
    """In Alumio the key of a document belongs to its type."""
    made: dict[str, JSON] = {
        "storage": translator.names.find("storages", str(given.get("storage") or "unnamed"), translator.log)
    }
    paths = translator.names.identifiers.get(translator.entity_type, [])
    key = given.get("storage_key") or "|".join(f"&{{{one}}}" for one in paths)
    if key:
        made["storage_key"] = translate_value(key)
    else:
        translator.log.add_changed(
            path, "nothing says what a document is known by; all of it is, until storage_key is given"
        )
    if given.get("add_entity_to_storage") in (False, 0):
        made["add_entity_to_storage"] = False
    if given.get("comparator") not in (None, "equals"):
        translator.log.add_changed(f"{path}.comparator", "documents are compared exactly here")
    return Commented({"storage-filter-stored-entity": made})


def _set_type(translator: StepTranslator, given: Parameters, path: str) -> JSON:  # noqa: ARG001
    translator.entity_type = str(given.get("entity_type") or translator.entity_type)
    return Commented({"type-setter": translate_text(translator.entity_type)}) if translator.entity_type else []


def _http(translator: StepTranslator, given: Parameters, path: str) -> JSON:
    made: dict[str, JSON] = {
        "client": translator.names.client(given, translator.log),
        "request": translate_request(as_map(given.get("request")), f"{path}.request", translator.log),
    }
    if isinstance(given.get("destination"), str):
        made["destination"] = translate_text(str(given["destination"]))
    return Commented({"http-transformer": made})


def _graphql(translator: StepTranslator, given: Parameters, path: str) -> JSON:
    request = as_map(given.get("request"))
    return _http(translator, {**given, "request": {**request, "method": request.get("method") or "POST"}}, path)


def _to_array(_: StepTranslator, given: Parameters, path: str) -> JSON:  # noqa: ARG001
    mapper = {"structure": {"template": "&{(type(@) == 'object' && @) || to_array(@)}"}}
    return Commented({"value-mapper": {"accessor": str(given.get("pattern") or ""), "mappers": [mapper]}})


def _join_operands(translator: StepTranslator, given: Parameters, path: str) -> JSON:
    """As a step, operator joins two places of the document into the first."""
    left, right, operator = given.get("left"), given.get("right"), given.get("operator")
    if not (isinstance(left, str) and isinstance(right, str) and isinstance(operator, str)):
        raise NoCounterpart(path, "the transformer 'operator' without left, right and operator has no counterpart here")
    translator.log.add_changed(path, f"the result of {operator} is put at {left!r}")
    setting = {"key": left, "value": [f"?{{{left}}}", f"?{{{right}}}"], "mappers": [{"operator": operator}]}
    return Commented({"value-setter": {"configurations": [setting]}})


def _around(before: str, after: str) -> Counterpart:
    """A text put before or after the value."""

    def make(_: StepTranslator, given: Parameters, path: str) -> JSON:  # noqa: ARG001
        texts = [
            translate_text(str(given.get(name) or given.get("value") or "")) if name else "" for name in (before, after)
        ]
        return {"structure": {"template": "&{@}".join(texts)}}

    return make


def _expression(body: str) -> Counterpart:
    return lambda _this, _given, _path: {"structure": {"template": body}}


def _case(case: str, remark: str = "") -> Counterpart:
    def make(translator: StepTranslator, given: Parameters, path: str) -> JSON:  # noqa: ARG001
        if remark:
            translator.log.add_changed(path, remark)
        return {"string-case": case}

    return make


def _compare(ours: str) -> Counterpart:
    def make(translator: StepTranslator, given: Parameters, path: str) -> JSON:
        translator.log.add_changed(path, "values of different types are never the same here")
        return {ours: {"value": translate_value(given.get("value"))}}

    return make


def _standard(_: StepTranslator, given: Parameters, path: str) -> JSON:  # noqa: ARG001
    return {"dictionary-map": {"map": [[given.get("from"), translate_value(given.get("to"))]]}}


def _date(translator: StepTranslator, given: Parameters, path: str) -> JSON:
    spelt = {
        "to_format": "format",
        "from_format": "source",
        "to_timezone": "timezone",
        "from_timezone": "source_timezone",
    }
    declared = {spelt.get(name, name): value for name, value in given.items()}
    known = {name: value for name, value in declared.items() if name in (*spelt.values(), "format") and value}
    for name in declared.keys() - known.keys():
        if declared[name]:
            translator.log.add_changed(f"{path}.{name}", "format-date has no such parameter here; left out")
    return {"format-date": known} if known else "format-date"


ASIDE = "_found"
"""Where things lie in between."""
COUNTERPARTS: Mapping[tuple[str, str], Counterpart] = {
    ("step", "chain"): _row,
    ("step", "data"): _row,
    ("step", "list-transformer-wrapper"): _row,
    ("step", "value-setter"): _setter,
    ("step", "value-remover"): _remover,
    ("step", "pattern-copy"): _relocate("pattern-copy"),
    ("step", "pattern-move"): _relocate("pattern-move"),
    ("step", "key-filter"): _filter("key-filter"),
    ("step", "value-filter"): _filter("value-filter"),
    ("step", "type-setter"): _set_type,
    ("step", "storage-filter-stored-entity"): _only_new,
    ("step", "http-transformer"): _http,
    ("step", "graphql-transformer"): _graphql,
    ("step", "convert-to-array"): _to_array,
    ("step", "operator"): _join_operands,
    ("condition", "key-condition"): _key_condition,
    ("condition", "storage-entity-filter"): _translate_storage_filter,
    ("condition", "equals-adaptive"): _compare("equals"),
    ("condition", "not-equals-adaptive"): _compare("not-equals"),
    ("mapper", "string-append"): _around("", "append"),
    ("mapper", "string-prepend"): _around("prepend", ""),
    ("mapper", "string-upper-first"): _case("first"),
    ("mapper", "string-slugify"): _case(
        "kebab", "string-slugify is written as string-case: kebab; letters with accents may differ"
    ),
    ("mapper", "list-keys"): _expression("&{keys(@)}"),
    ("mapper", "list-reverse"): _expression("&{reverse(@)}"),
    ("mapper", "standard"): _standard,
    ("mapper", "format-date"): _date,
}
