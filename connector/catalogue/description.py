"""The description of an operation, for people and programs: input, output, the effect of a repeat."""

from __future__ import annotations

import re
import shlex
import textwrap
from typing import cast

from connector.catalogue.catalogue import Catalogue
from connector.catalogue.examples import example_request
from connector.catalogue.operation import Operation
from connector.catalogue.phrases import phrase
from connector.documents import dump
from connector.model import JSON, Effect, is_object

__all__ = ["describe", "render"]

Rows = list[dict[str, JSON]]

REPEATS = {
    Effect.NONE: "reads only; repeated freely",
    Effect.IDEMPOTENT: "may be repeated freely: a second call changes nothing more",
    Effect.RECONCILABLE: "a repeat is not sent blindly; what the first call did can be found by listing",
    Effect.OPAQUE: "a repeat is not sent blindly: it could be paid twice",
}


def describe(operation: Operation, catalogue: Catalogue) -> dict[str, JSON]:
    """Describe an operation completely, with an example request that validates."""
    described: dict[str, JSON] = {
        "entity": operation.entity,
        "action": operation.action,
        "method": operation.method,
        "path": operation.template,
        "area": operation.area,
        "effect": operation.effect.value,
        "key": operation.key,
        "aliases": list(operation.aliases),
        "path_parameters": _list_properties(catalogue.path_schema(operation)),
        "query": _list_properties(catalogue.query_schema(operation)),
        "headers": [
            {"name": name, "type": phrase(schema, {}), "required": False} for name, schema in operation.headers.items()
        ],
        "body": list(operation.body),
        "payload": _list_properties(catalogue.payload_schema(operation)),
        "answer": _describe_answers(operation, catalogue),
    }
    optional = ("verb", "on", "beta", "pages", "ends", "stream", "cost", "hands_out", "removed")
    described |= {name: getattr(operation, name) for name in optional if getattr(operation, name)}
    described |= {"reconcile": dict(operation.reconcile)} if operation.reconcile else {}
    described |= {"deprecated": True} if operation.deprecated else {}
    described["example"] = example_request(operation, catalogue)
    return described


def _list_properties(schema: dict[str, JSON] | None) -> Rows:
    """Return the properties of an object schema; of a union, those of every branch."""
    if schema is None:
        return []
    rows: dict[str, dict[str, JSON]] = {}
    for branch in _find_objects(schema, schema):
        required = branch.get("required", ())
        for name, field in branch.get("properties", {}).items():
            row = {"name": name, "type": phrase(field, schema), "required": name in required}
            if is_object(field) and field.get("default") is not None:
                row["default"] = field["default"]
            rows.setdefault(name, row)
    return sorted(rows.values(), key=lambda row: not row["required"])


def _find_objects(schema: JSON, root: dict[str, JSON], depth: int = 0) -> list[dict[str, JSON]]:
    if not isinstance(schema, dict) or depth > 6:
        return []
    schema = cast("dict[str, JSON]", schema)
    found = [schema] if "properties" in schema else []
    if "$ref" in schema:
        found += _find_objects(root["$defs"].get(schema["$ref"].rsplit("/", 1)[-1]), root, depth + 1)
    for keyword in ("allOf", "anyOf", "oneOf"):
        for branch in schema.get(keyword, ()):
            found += _find_objects(branch, root, depth + 1)
    return found


def _describe_answers(operation: Operation, catalogue: Catalogue) -> Rows:
    answers: Rows = []
    for kind, definition in operation.answer.items():
        schema = catalogue.answer_schema(operation, kind)
        fields = [row["name"] for row in _list_properties(schema)]
        answers.append({"kind": kind, "schema": definition, "fields": fields})
    return answers


def render(described: dict[str, JSON], width: int = 80) -> str:
    """Render a description as text of a width; the example stays on one line, to be copied."""
    lines = [
        f"{described['entity']} {described['action']}    {described['method']} {described['path']}",
        *_format_notes(described),
        *_format_table("path", described["path_parameters"]),
        *_format_table("query", described["query"]),
        *_format_table("headers", described["headers"]),
        *_format_table(
            f"payload ({' or '.join(described['body'])})" if described["body"] else "payload", described["payload"]
        ),
        *_format_answers(described["answer"]),
    ]
    return "\n".join([*(part for line in lines for part in _wrap(line, width)), *_format_example(described)])


def _wrap(line: str, width: int) -> list[str]:
    """Wrap a line; continuation lines are indented below what it says."""
    name = re.match(r"\s*\S+\s{2,}|\s*\S+:? ", line)
    indent = min(len(name[0]), width // 2) if name else 2
    return textwrap.wrap(line, width, subsequent_indent=" " * indent, break_on_hyphens=False) or [""]


def _format_notes(described: dict[str, JSON]) -> list[str]:
    notes = [f"  effect: {described['effect']}: {REPEATS[Effect(described['effect'])]}"]
    if described.get("removed"):
        notes.append(f"  removed from the API on {described['removed']}")
    if described.get("deprecated"):
        notes.append("  deprecated")
    if described.get("on"):
        notes.append(f"  also: {described['on']} {described['verb']}")
    if described["key"] == "admin":
        notes.append("  key: an admin key (OPENAI_ADMIN_KEY)")
    if described.get("pages"):
        notes.append("  a list: --all follows its pages")
    if described.get("stream"):
        notes.append("  can stream: --stream")
    return notes


def _format_table(title: str, rows: Rows) -> list[str]:
    if not rows:
        return []
    width = max(len(row["name"]) for row in rows) + 1
    legend = ["  * is required"] if any(row["required"] for row in rows) else []
    return [
        "",
        title,
        *legend,
        *(f"  {row['name'] + ('*' if row['required'] else ''):<{width}}  {_describe_type(row)}" for row in rows),
    ]


def _describe_type(row: dict[str, JSON]) -> str:
    return f"{row['type']}, default {dump(row['default']).decode()}" if "default" in row else row["type"]


def _format_answers(answers: Rows) -> list[str]:
    lines = [""]
    for answer in answers:
        fields = f": {', '.join(answer['fields'])}" if answer["fields"] else ""
        lines.append(f"answer  {answer['kind']}{fields}")
    return lines


def _format_example(described: dict[str, JSON]) -> list[str]:
    example = {section: value for section, value in described["example"].items() if value}
    request = f" --request {shlex.quote(dump(example).decode())}" if example else ""
    return ["", "example", f"  openai-connector call {described['entity']} {described['action']}{request}"]
