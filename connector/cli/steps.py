"""`steps` and `chains`: what a chain can be made of, and what each part takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

from typer import Argument

from connector.cli.options import Config, Entities, Json, find_models
from connector.cli.output import print_document, print_table, print_text, wants_json
from connector.errors import UnknownName
from connector.model import JSON, is_document, is_list
from connector.suggestions import closest

if TYPE_CHECKING:
    from connector.model_registry import ModelRegistry

__all__ = ["chain_rows", "chains", "print_chain", "steps"]


def steps(
    name: Annotated[str | None, Argument(help="Show the fields of this step, mapper, condition or accessor.")] = None,
    json: Json = None,
    config: Config = None,
    folder: Entities = None,
) -> None:
    """List steps, mappers, conditions and accessors with their origin, or the fields of one."""
    from connector.catalogue.index import normalize_name

    found = [
        row
        for row in _step_rows()
        if name is None or normalize_name(name) in map(normalize_name, (row["name"], *row["aliases"]))
    ]
    if not found and name is not None:
        made = {row["name"]: row for row in chain_rows(find_models(folder, config))}
        if name in made:
            print_chain(made[name], json=json)
            return
        known = [*(row["name"] for row in _step_rows()), *made]
        raise UnknownName(
            "step, mapper, condition or accessor", name, closest(name, known), "`steps` and `chains` list them all"
        )
    if wants_json(json):
        print_document(found)
    elif name is None:
        columns = ("kind", "name", "summary", "origin")
        print_table(columns, ([row[column] for column in columns] for row in found))
    else:
        rows = (
            (f"{field['name']}{'*' if field['required'] else ''}", field["kind"], field["summary"])
            for row in found
            for field in row["fields"]
        )
        print_table(("field", "value", "what it is"), rows)


def _step_rows() -> list[dict[str, JSON]]:
    from connector.transform import registry
    from connector.transform.registry import field_rows

    kinds = registry()
    return [
        {
            "kind": kind,
            "name": declaration.name,
            "aliases": list(declaration.aliases),
            "summary": declaration.summary,
            "origin": known.origins[declaration.name],
            "fields": [
                {"name": field.name, "kind": field.kind, "summary": field.summary, "required": field.required}
                for field in field_rows(declaration.fields)
            ],
        }
        for kind, known in (
            ("step", kinds.steps),
            ("mapper", kinds.mappers),
            ("condition", kinds.conditions),
            ("accessor", kinds.accessors),
        )
        for declaration in sorted(known, key=lambda one: one.name)
    ]


def chains(
    name: Annotated[str | None, Argument(help="Show the parameters of this chain.")] = None,
    json: Json = None,
    config: Config = None,
    folder: Entities = None,
) -> None:
    """List the ready-made chains, or the parameters of one."""
    rows = chain_rows(find_models(folder, config))
    if name is None:
        if wants_json(json):
            print_document(rows)
        else:
            print_table(("chain", "what it does"), ((row["name"], row["summary"]) for row in rows))
        return
    found = next((row for row in rows if row["name"] == name), None)
    if found is None:
        known = [row["name"] for row in rows]
        raise UnknownName("ready-made chain", name, closest(name, known), "`chains` lists them, `steps` the steps")
    print_chain(found, json=json)


def print_chain(row: dict[str, JSON], *, json: bool | None) -> None:
    """Print one chain with its parameters."""
    if wants_json(json):
        print_document(row)
        return
    print_text(f"{row['name']}: {row['summary']}\n")
    columns = ("name", "type", "default", "description")
    print_table(columns, ([str(parameter[column]) for column in columns] for parameter in row["parameters"]))


def chain_rows(models: ModelRegistry) -> list[dict[str, JSON]]:
    """Return every ready-made chain with its parameters, and the default models of a registry."""
    from connector.transform.library import ready_made

    return [_chain_row(name, chain, models) for name, chain in ready_made().items()]


def _default(declaration: Mapping[str, JSON], models: ModelRegistry) -> str:
    """Return the default of a chain's parameter as text; that of a model names the one of its role."""
    from connector.documents import dump

    shown = dump(declaration["default"]).decode() if "default" in declaration else "needed"
    role = declaration.get("role")
    return f"{shown}, else {models.default(role)}" if isinstance(role, str) and role in models.roles else shown


def _chain_row(name: str, chain: JSON, models: ModelRegistry) -> dict[str, JSON]:
    declared: dict[str, JSON] = (chain.get("parameters") or {}) if is_document(chain) else {}
    parameters: list[dict[str, JSON]] = [
        {
            "name": parameter,
            "type": " or ".join(types) if is_list(types := declaration.get("type", "anything")) else types,
            "default": _default(declaration, models),
            "description": declaration.get("description", ""),
        }
        for parameter, declaration in declared.items()
        if is_document(declaration)
    ]
    return {"name": name, "summary": chain.get("summary", "") if is_document(chain) else "", "parameters": parameters}
