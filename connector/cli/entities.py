"""`entities`: what the API offers, and the catalogue that describes it."""

from __future__ import annotations

import shutil
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

from typer import Argument, BadParameter, Exit, Option

from connector.cli.arguments import find_operation
from connector.cli.command import group
from connector.cli.options import Config, Entities, Json, catalogue_folder, configuration_here
from connector.cli.output import print_document, print_line, print_table, print_text, say, wants_json

if TYPE_CHECKING:
    from connector.catalogue import Catalogue, Operation
    from connector.catalogue.importer.drift import Drift
    from connector.catalogue.importer.update import CatalogueUpdate

__all__ = ["entities"]

entities = group("What the API offers: list, show, import, drift, update.")

Sdk = Annotated[
    str | None,
    Option("--sdk", metavar="SOURCE", help="The official SDK: a version, `latest`, a wheel or a folder of one."),
]
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
def show_drift(
    document: Annotated[
        str | None, Argument(metavar="[DOCUMENT]", help="An OpenAPI document; the catalogue's own with --sdk alone.")
    ] = None,
    sdk: Sdk = None,
    json: Json = None,
    folder: Entities = None,
) -> None:
    """List the differences between a document or an SDK and the catalogue; exit 1 if there are any."""
    from connector.catalogue.importer.drift import find_drift
    from connector.catalogue.importer.update import find_update_drift

    if document is None and sdk is None:
        raise BadParameter("what to compare the catalogue with is needed: a DOCUMENT, --sdk, or both")
    with _document_at(document) as (path, where):
        if sdk is None and path is not None:
            _print_drift(find_drift(path, _open(folder), where), json)
        else:
            with _wheel_at(sdk) as wheel:
                base = catalogue_folder(folder) or _shipped()
                update = find_update_drift(base, document=path, sdk=wheel, where=where)
            _say_notes(update)
            _print_drift(update, json)


@entities.command("update")
def update_entities(
    sdk: Sdk = None,
    document: Annotated[
        str | None, Option("--document", metavar="FILE|URL", help="A newer OpenAPI document, JSON or YAML.")
    ] = None,
    into: Annotated[
        Path | None, Option("--into", metavar="FOLDER", help="The catalogue to write; that of the configuration.")
    ] = None,
    check: Annotated[
        bool, Option("--check", help="Show the difference, write nothing; exit 1 if there is any.")
    ] = False,
    json: Json = None,
    config: Config = None,
    folder: Entities = None,
) -> None:
    """Bring the catalogue up to a newer SDK and document, and show what is different."""
    from connector.catalogue.importer.update import find_update_drift, prepare_update

    current = catalogue_folder(folder, config)
    target = into or current or _catalogue_beside(config)
    base = target if (target / "index.json").is_file() else current or _shipped()
    wanted = "latest" if sdk is None and document is None else sdk
    with _document_at(document) as (path, where), _wheel_at(wanted) as wheel:
        if check:
            update = find_update_drift(base, document=path, sdk=wheel, where=where)
            _say_notes(update)
            _print_drift(update, json)
        with prepare_update(base, target, document=path, sdk=wheel, where=where) as update:
            _say_notes(update)
            if wants_json(json):
                print_document(update.as_document())
            else:
                print_text("\n".join(update.lines()) or "no drift")
            say(f"{target}: written" if update.apply() else f"{target}: is up to date")


def _say_notes(update: CatalogueUpdate) -> None:
    for note in update.notes:
        say(f"note: {note}")


def _print_drift(report: Drift | CatalogueUpdate, json: bool | None) -> NoReturn:
    if wants_json(json):
        print_document(report.as_document())
    else:
        print_text("\n".join(report.lines()) or "no drift")
    raise Exit(1 if report else 0)


@contextmanager
def _wheel_at(wanted: str | None) -> Generator[Path | None]:
    """Give the wheel or folder of the official SDK; None when none is wanted."""
    from connector.model_registry.wheels import wheel_of

    if wanted is None:
        yield None
    else:
        with wheel_of("openai", wanted) as found:
            yield found


@contextmanager
def _document_at(wanted: str | None) -> Generator[tuple[Path | None, str]]:
    """Give the file of a document and its name in messages; it is fetched when it is named by its address."""
    if wanted is None or not wanted.lower().startswith(("http://", "https://")):
        yield None if wanted is None else Path(wanted), wanted or ""
        return
    from tempfile import TemporaryDirectory

    from connector.catalogue.importer.fetch import fetch_document, show_address

    with TemporaryDirectory() as temporary:
        path = Path(temporary) / "document"
        path.write_bytes(fetch_document(wanted))
        yield path, show_address(wanted)


def _shipped() -> Path:
    from connector.declarations import folder

    return folder("entities")


def _catalogue_beside(config: Path | None) -> Path:
    """Return where a catalogue is looked for without being named: beside the configuration, else here."""
    from connector.config.sources import folder_of

    source = config or configuration_here()
    return (Path() if source is None else folder_of(source)) / "entities"


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
