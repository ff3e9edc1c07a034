"""`entities`: what the API offers, and the catalogue that describes it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Exit, Option

from connector.cli.arguments import find_operation
from connector.cli.command import group
from connector.cli.options import Entities, Json, catalogue_folder
from connector.cli.output import print_document, print_line, print_table, print_text, say, wants_json

if TYPE_CHECKING:
    from connector.catalogue import Catalogue, Operation

__all__ = ["entities"]

entities = group("What the API offers: list, show, import, drift.")

Document = Annotated[Path, Argument(metavar="DOCUMENT", help="An OpenAPI 3.0 or 3.1 document, JSON or YAML.")]


@entities.command("list")
def list_operations(
    area: Annotated[str | None, Option("--area", metavar="A", help="Only operations of this area.")] = None,
    search: Annotated[
        str | None, Option("--search", metavar="WORD", help="Only operations with this word in their names.")
    ] = None,
    json: Json = None,
    folder: Entities = None,
) -> None:
    """List the operations: entity, action, method and path."""
    chosen = [op for op in _open(folder).operations() if _has_area(op, area) and _has_word(op, search)]
    if wants_json(json):
        for op in chosen:
            print_line(_summary(op))
    else:
        rows = ((op.entity, op.action, op.method, op.template, op.area) for op in chosen)
        print_table(("entity", "action", "method", "path", "area"), rows)
    if not chosen:
        say("nothing matches; `entities list` shows everything")


@entities.command("show")
def show_operation(
    words: Annotated[list[str], Argument(metavar="NAME", help="An entity, or a name of an operation.")],
    json: Json = None,
    folder: Entities = None,
) -> None:
    """Show an entity's operations: parameters, payload, answer, effect and a valid example."""
    from connector.catalogue.description import describe, render

    catalogue = _open(folder)
    described = [describe(op, catalogue) for op in _find(catalogue, words)]
    if wants_json(json):
        print_document(described[0] if len(described) == 1 else described)
    else:
        width = shutil.get_terminal_size().columns
        print_text("\n\n".join(render(one, width) for one in described))


@entities.command("import")
def import_entities(
    document: Document,
    into: Annotated[Path, Option("--into", metavar="FOLDER", help="The folder for the catalogue.")] = Path("entities"),
) -> None:
    """Build a catalogue from an OpenAPI document."""
    from connector.catalogue.importer import import_document

    report = import_document(document, into)
    say(f"{into}: {report}")


@entities.command("drift")
def show_drift(document: Document, json: Json = None, folder: Entities = None) -> None:
    """List the differences between a document and the catalogue; exit 1 if there are any."""
    from connector.catalogue.importer.drift import find_drift

    report = find_drift(document, _open(folder))
    if wants_json(json):
        print_document(report.as_document())
    else:
        print_text("\n".join(report.lines()) or "no drift")
    raise Exit(1 if report else 0)


def _find(catalogue: Catalogue, words: Sequence[str]) -> list[Operation]:
    """Return all operations of an entity, or the one operation of that name."""
    from connector.catalogue.index import normalize_name

    name = normalize_name(" ".join(words))
    return [op for op in catalogue.operations() if normalize_name(op.entity) == name] or [
        find_operation(catalogue, words)[0]
    ]


def _open(folder: Path | None) -> Catalogue:
    from connector.catalogue import Catalogue

    return Catalogue.open(catalogue_folder(folder))


def _has_area(operation: Operation, area: str | None) -> bool:
    return area is None or area.casefold() == operation.area.casefold()


def _has_word(operation: Operation, word: str | None) -> bool:
    if word is None:
        return True
    text = " ".join((operation.entity, operation.action, operation.wire_name, *operation.aliases))
    return word.casefold() in text.casefold()


def _summary(operation: Operation) -> dict[str, str | bool]:
    summary: dict[str, str | bool] = {
        "entity": operation.entity,
        "action": operation.action,
        "method": operation.method,
        "path": operation.template,
        "area": operation.area,
        "effect": operation.effect.value,
    }
    if operation.deprecated:
        summary["deprecated"] = True
    if operation.removed:
        summary["removed"] = operation.removed
    return summary
