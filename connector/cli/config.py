"""`lint`, `schema` and `variables`: a configuration checked before it runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Exit, Option

from connector.cli.exit_codes import ExitCode
from connector.cli.options import Config, Entities, Json, catalogue_folder, configuration_at
from connector.cli.output import print_document, print_table, print_text, say, wants_json
from connector.errors import ConfigurationError

if TYPE_CHECKING:
    from connector.catalogue import Catalogue
    from connector.config import Finding

__all__ = ["lint", "schema", "variables"]


def lint(
    files: Annotated[
        list[Path] | None,
        Argument(metavar="[FILES]", help="Files or folders, each a configuration of its own, instead of -f."),
    ] = None,
    notation: Annotated[
        str, Option("--format", metavar="text|json|sarif", help="The format of the findings.")
    ] = "text",
    config: Config = None,
    folder: Entities = None,
) -> None:
    """Report all errors and warnings of a configuration, each with its line; exit 2 if there are errors."""
    from connector.config import Severity
    from connector.config.lint import lint as lint_one
    from connector.pipeline import kinds

    if notation not in ("text", "json", "sarif"):
        raise ConfigurationError(f"--format {notation!r}: text, json or sarif")
    known, catalogue = kinds(), None if folder is None else _catalogue(folder)
    sources = files or [configuration_at(config)]
    found = [finding for source in sources for finding in lint_one(source, kinds=known, catalogue=catalogue)]
    _print(found, notation)
    errors = sum(finding.severity is Severity.ERROR for finding in found)
    say(f"{_count(errors, 'error')}, {_count(len(found) - errors, 'warning')}")
    raise Exit(ExitCode.INVALID if errors else ExitCode.DONE)


def schema(folder: Entities = None) -> None:
    """Print the JSON Schema of a configuration, for editors that complete and check it."""
    from connector.config.schema import json_schema
    from connector.pipeline import kinds

    print_document(json_schema(kinds(), _catalogue(folder)))


def variables(config: Config = None, json: Json = None) -> None:
    """Show the variables that a configuration uses, and whether each is set; never their values."""
    from connector.config.loading import examine
    from connector.config.variable_usage import used_variables

    rows = [row.as_document() for row in used_variables(examine(configuration_at(config)))]
    if wants_json(json):
        print_document(rows)
    else:
        columns = ("variable", "value", "from", "used at")
        print_table(columns, ((row["name"], row["value"], row["source"], "\n".join(row["used"])) for row in rows))
    missing = [row["name"] for row in rows if row["state"] == "missing"]
    if missing:
        say(f"missing: {', '.join(missing)}")


def _catalogue(folder: Path | None) -> Catalogue:
    from connector.catalogue import Catalogue

    return Catalogue.open(catalogue_folder(folder))


def _print(found: list[Finding], notation: str) -> None:
    if notation == "sarif":
        from connector.config.lint import sarif_log

        print_document(sarif_log(found))
    elif notation == "json":
        print_document([finding.as_document() for finding in found])
    elif found:
        print_text("\n".join(map(str, found)))


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"
