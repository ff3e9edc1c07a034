"""Writes the reference pages from the declarations; `--check` says which are not current and exits 1."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from connector.catalogue import Catalogue, Operation
from connector.catalogue.description import describe
from connector.cli.app import app
from connector.http import describe as describe_prototype
from connector.http import prototypes
from tools.markdown import table
from tools.reference_configuration import configuration
from tools.reference_connections import connections
from tools.reference_python import python
from tools.reference_studio import studio
from tools.reference_transformers import chains, transformers

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"
NOTE = "<!-- made by `make docs`; change the declarations, not this page -->\n"


def main() -> int:
    wanted = {REFERENCE / name: f"{NOTE}\n{text.rstrip()}\n" for name, text in pages()}
    found = {path: path.read_text(encoding="utf-8") for path in REFERENCE.rglob("*.md")}
    if "--check" in sys.argv:
        stale = sorted(path.name for path in wanted.keys() | found.keys() if wanted.get(path) != found.get(path))
        print(
            f"not current: {', '.join(stale)}; run `make docs`"
            if stale
            else f"{len(wanted)} reference pages are current"
        )
        return 1 if stale else 0
    for path in found.keys() - wanted.keys():
        path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


def pages() -> Iterator[tuple[str, str]]:
    yield "commands.md", commands()
    yield "prototypes.md", client_prototypes()
    yield "configuration.md", configuration()
    yield "connections.md", connections()
    yield "transformers.md", transformers()
    yield "chains.md", chains()
    yield "python.md", python()
    yield "studio-api.md", studio()
    catalogue = Catalogue.open()
    areas: dict[str, list[Operation]] = {}
    for operation in catalogue.operations():
        areas.setdefault(operation.area, []).append(operation)
    yield "entities.md", all_entities(areas)
    for area, operations in areas.items():
        yield f"entities/{area}.md", one_area(area, operations, catalogue)


def commands() -> str:
    parts = [
        "# Commands",
        "Every command has `--help`. [Exit codes](../guides/errors-and-retries.md#exit-codes) are documented.",
    ]
    for name, command in walk(get_command(app), "openai-connector"):
        parts += [f"## `{name}`", command.help or "", f"```text\n{usage(name, command)}\n```"]
        rows = [
            (f"`{', '.join(p.opts)}`", placeholder(p), getattr(p, "help", None) or "")
            for p in command.params
            if p.name != "help"
        ]
        parts.append(table(("option", "value", "what it does"), rows))
    return "\n\n".join(part for part in parts if part)


def walk(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    for word, child in sorted(getattr(command, "commands", {}).items()):
        if getattr(child, "commands", None):
            yield from walk(child, f"{name} {word}")
        else:
            yield f"{name} {word}", child


def usage(name: str, command: Any) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    words = [p.name.upper() if p.required else f"[{p.name.upper()}]" for p in arguments]
    return " ".join([name, *words, "[OPTIONS]"])


def placeholder(parameter: Any) -> str:
    if parameter.param_type_name == "argument" or getattr(parameter, "is_flag", False):
        return ""
    return f"`{parameter.metavar or parameter.name.upper()}`"


def client_prototypes() -> str:
    parts = [
        "# Client prototypes",
        "A client is made from a prototype and its parameters; see [the guide](../guides/prototypes.md).",
    ]
    for kind in prototypes():
        rows = [
            (
                f"`{row['name']}`",
                row["type"],
                default(row),
                f"`{row['environment']}`" if row["environment"] else "",
                row["description"],
            )
            for row in describe_prototype(kind.name)
        ]
        parts += [f"## `{kind.name}`", kind.summary]
        parts.append(table(("parameter", "type", "default", "environment", "what it is"), rows))
    return "\n\n".join(parts)


def default(row: dict[str, Any]) -> str:
    return "" if row["default"] in (None, "") else f"`{row['default']}`"


def all_entities(areas: dict[str, list[Operation]]) -> str:
    total = sum(len(operations) for operations in areas.values())
    parts = [
        "# Entities",
        f"{total} operations in {len(areas)} areas. `openai-connector entities show NAME` says the same in a terminal.",
    ]
    for area, operations in areas.items():
        rows = [(op.entity, op.action, f"`{op.wire_name}`", op.effect.value, state(op)) for op in operations]
        parts += [f"## [{area}](entities/{area}.md)", table(("entity", "action", "on the wire", "effect", ""), rows)]
    return "\n\n".join(parts)


def state(operation: Operation) -> str:
    return f"removed {operation.removed}" if operation.removed else "deprecated" if operation.deprecated else ""


def one_area(area: str, operations: list[Operation], catalogue: Catalogue) -> str:
    parts = [f"# {area}", "[All areas](../entities.md)"]
    for operation in operations:
        described = describe(operation, catalogue)
        parts += [
            f"## {operation.entity}: {operation.action}",
            f"`{operation.wire_name}` · effect: {operation.effect.value}",
        ]
        parts += [f"**{state(operation)}**"] if state(operation) else []
        for section in ("path_parameters", "query", "headers", "payload"):
            rows = [
                (f"`{row['name']}`" + ("\\*" if row["required"] else ""), row["type"]) for row in described[section]
            ]
            parts += [table((section.replace("_", " "), "value"), rows)] if rows else []
        answers = (
            f"{answer['kind']} (`{answer['schema']}`)" if answer["schema"] else answer["kind"]
            for answer in described["answer"]
        )
        parts.append(f"answer: {', '.join(answers)}")
    return "\n\n".join(parts)


if __name__ == "__main__":
    sys.exit(main())
