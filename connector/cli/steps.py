"""`steps`: what a chain may be made of, and where each comes from."""

from __future__ import annotations

from typing import Annotated

from typer import Argument

from connector.catalogue.names import squeezed
from connector.cli.chains import chain_rows, print_chain
from connector.cli.options import Json
from connector.cli.output import print_document, print_table, wants_json
from connector.errors import UnknownName
from connector.model import JSON
from connector.suggestions import closest

__all__ = ["steps"]


def steps(
    name: Annotated[str | None, Argument(help="Show this step's, mapper's, condition's or accessor's fields.")] = None,
    json: Json = None,
) -> None:
    """List steps, mappers, conditions and accessors with their origin, or one's fields."""
    found = [row for row in _rows() if name is None or squeezed(name) in map(squeezed, (row["name"], *row["aliases"]))]
    if not found and name is not None:
        made = {row["name"]: row for row in chain_rows()}
        if name in made:
            print_chain(made[name], json=json)
            return
        known = [*(row["name"] for row in _rows()), *made]
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


def _rows() -> list[dict[str, JSON]]:
    from connector.transform import registry
    from connector.transform.description import field_rows

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
