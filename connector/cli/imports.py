"""`import`: configurations of other platforms, converted to folders of ours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Exit, Option

from connector.cli.command import group
from connector.cli.exit_codes import ExitCode
from connector.cli.options import Json
from connector.cli.output import print_document, print_text, say, wants_json

if TYPE_CHECKING:
    from connector.migrate import Report

__all__ = ["imports"]

imports = group("Convert configurations of other platforms: alumio, atlas.")
Into = Annotated[Path, Option("--into", metavar="FOLDER", help="A new or empty folder.")]
INTO = Path("imported")


@imports.command("alumio")
def alumio(
    exports: Annotated[list[Path], Argument(metavar="EXPORTS", help="Exports, one object per line.")],
    into: Into = INTO,
    json: Json = None,
) -> None:
    """Import exports of Alumio; the report lists what could not be converted."""
    from connector.migrate import import_alumio

    _show(import_alumio(exports, into), into, json)


@imports.command("atlas")
def atlas(
    config: Annotated[Path, Argument(metavar="CONFIG.yml", help="A configuration of Moment Atlas.")],
    into: Into = INTO,
    json: Json = None,
) -> None:
    """Import adapters of Moment Atlas as clients."""
    from connector.migrate import import_atlas

    _show(import_atlas(config, into), into, json)


def _show(report: Report, into: Path, json: bool | None) -> None:
    if wants_json(json):
        print_document(report.as_document())
    else:
        print_text("\n".join(report.text()))
    say(f"{into}: {report.summary()}")
    if not any(count.done for count in report.objects.values()):
        say("nothing was imported: is it the right file?")
        raise Exit(ExitCode.NOTHING)
