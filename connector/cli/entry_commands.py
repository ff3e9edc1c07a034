"""`add`, `edit`, `remove` and `list` for the named entries of a section: one implementation for all sections."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING

from typer import Typer

from connector.cli.command import command, group
from connector.cli.entry_options import (
    INCOMING,
    OUTGOING,
    OWN,
    ROUTES,
    ChangeOptions,
    DryRun,
    Force,
    Name,
    Section,
    apply_options,
)
from connector.cli.options import Config, Json, configuration_at
from connector.cli.output import print_document, print_table, print_text, say, wants_json
from connector.cli.route_control import pause, resume, run_now
from connector.declarations import CONFIGURATION_NAMES as NAMES
from connector.errors import ConfigurationError
from connector.model import is_document

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from connector.config import Finding
    from connector.config.edits import Edit

__all__ = ["apply_edit", "incoming", "outgoing", "register_commands", "route", "target_file"]

LATER = frozenset({"variable-not-set", "empty-configuration"})
"""Findings that may be mended after the change."""


def register_commands(group: Typer, section: Section, *, add: bool = True) -> None:
    """Add the commands of a section to its group."""
    decided = {name: None for name in OWN if name not in section.asked}
    noun = f"{'an' if section.noun[0] in 'io' else 'a'} {section.noun}"

    def add_one(options: ChangeOptions) -> None:
        _add(section, options)

    def edit_one(options: ChangeOptions) -> None:
        _edit(section, options)

    def remove(name: Name, config: Config = None, dry_run: DryRun = False, force: Force = False) -> None:
        _remove(section, name, config, dry_run=dry_run, force=force)

    add_one.__doc__ = f"Add {noun} to the configuration, and print the change."
    edit_one.__doc__ = f"Change {noun} of the configuration, and print the change; comments stay."
    remove.__doc__ = f"Remove {noun} from the configuration, unless something uses it, and print the change."
    if add:
        group.command("add")(command(add_one, ChangeOptions, unset=None, **decided))
        group.command("list", help=f"List the {section.name} of the configuration.")(_list_command(section))
    group.command("edit")(command(edit_one, ChangeOptions, **decided))
    group.command("remove")(remove)


def _add(section: Section, options: ChangeOptions) -> None:
    from connector.config.edits import add_entry

    entry = apply_options(section, {}, options)
    if section.holder and "prototype" not in (entry.get(section.holder[0]) or {}):
        raise ConfigurationError(
            f"an {section.noun} needs a kind: --prototype with one of {', '.join(_kinds(section))}"
        )
    if section is ROUTES and not {"incoming", "outgoing"} <= entry.keys():
        raise ConfigurationError("a route goes from --incoming NAME to --outgoing NAME; say both")
    edit = add_entry(target_file(options.config, section), section.name, options.name, entry)
    apply_edit(edit, section, options.name, "added", options.config, dry_run=options.dry_run, force=options.force)
    say(f"try `{section.after.format(name=options.name)}`")


def _edit(section: Section, options: ChangeOptions) -> None:
    from connector.config.edits import change_entry, entry_at

    file = _file_with(section, options.name, options.config)
    before = entry_at(file, section.name, options.name)
    entry = apply_options(section, copy.deepcopy(before) if is_document(before) else {}, options)
    if entry == before:
        raise ConfigurationError(
            f"{section.noun} {options.name!r} is so already; say what to change by --set KEY=VALUE"
        )
    edit = change_entry(file, section.name, options.name, entry)
    apply_edit(edit, section, options.name, "changed", options.config, dry_run=options.dry_run, force=options.force)


def _remove(section: Section, name: str, config: Path | None, *, dry_run: bool, force: bool) -> None:
    from connector.config.edits import remove_entry

    edit = remove_entry(_file_with(section, name, config), section.name, name)
    apply_edit(edit, section, name, "removed", config, dry_run=dry_run, force=force)


def apply_edit(
    edit: Edit, section: Section, name: str, what: str, config: Path | None, *, dry_run: bool, force: bool
) -> None:
    """Write a change that causes no new errors, and print it with secrets masked."""
    from connector.request import Redactor

    source = config if config is not None and config.is_dir() else edit.file
    worse = [] if force else _new_errors(source, edit)
    if worse:
        cause = f"{section.noun} {name!r} is in use" if what == "removed" else "it would not work"
        faults = "\n".join(f"  {finding}" for finding in worse)
        raise ConfigurationError(f"nothing was written, since {cause}:\n{faults}\n--force writes it all the same")
    if not dry_run:
        edit.write()
    print_text(Redactor(_plain_secrets(edit))(edit.diff()).rstrip("\n"))
    say(f"{edit.file}: {section.noun} {name!r} {'would be ' if dry_run else ''}{what}")


def _new_errors(source: Path, edit: Edit) -> list[Finding]:
    """Return the new errors of a change; variables may be set later."""
    from connector.config import Severity
    from connector.config.lint import lint
    from connector.pipeline import kinds

    known = kinds()

    def errors(text: str) -> list[Finding]:
        found = lint(source, kinds=known, texts={edit.file: text})
        return [one for one in found if one.severity is Severity.ERROR and one.rule not in LATER]

    before = {(one.rule, one.words) for one in errors(edit.before)}
    return [one for one in errors(edit.after) if (one.rule, one.words) not in before]


def _plain_secrets(edit: Edit) -> list[str]:
    """Return the secrets of all clients in the file, before and after the change."""
    from connector.config.secrets import secret_places
    from connector.config.tree import read_text, value_at
    from connector.http import prototypes

    known = {kind.name: kind.parameters for kind in prototypes()}
    found: list[str] = []
    for text in (edit.before, edit.after):
        clients = value_at(read_text(text, str(edit.file)).value, ("clients",))
        for entry in clients.values() if is_document(clients) else ():
            model, given = known.get(str(value_at(entry, ("prototype",)))), value_at(entry, ("parameters",))
            if model is not None and is_document(given):
                found += [str(value_at(given, path)) for path in secret_places(model, given)]
    return [form for secret in found for form in (secret, secret.rpartition(" ")[2])]


def _kinds(section: Section) -> Sequence[str]:
    from connector import publishers, subscribers

    found = subscribers.prototypes() if section is INCOMING else publishers.prototypes()
    return [kind.name for kind in found]


def target_file(config: Path | None, section: Section) -> Path:
    """Return the file to add to: the given, existing or a new one; in a folder the file of the section."""
    file = config or next((Path(name) for name in NAMES if Path(name).is_file()), Path(NAMES[0]))
    if not file.is_dir():
        return file
    own = [file / name for name in (f"{section.name}.yaml", f"{section.name}.yml", *NAMES)]
    return next((candidate for candidate in own if candidate.is_file()), own[0])


def _file_with(section: Section, name: str, config: Path | None) -> Path:
    """Return the file that holds an entry; else the file that would."""
    from connector.config.sources import files_of
    from connector.config.tree import read_text, value_at

    files = files_of(configuration_at(config))
    for file in files:
        if value_at(read_text(file.read_text(encoding="utf-8-sig"), str(file)).value, (section.name, name)) is not None:
            return file
    return files[0] if len(files) == 1 else target_file(config, section)


def _list_command(section: Section) -> Callable[..., None]:
    def list_entries(config: Config = None, json: Json = None) -> None:
        from connector.config import load

        entries = getattr(load(configuration_at(config)), section.name)
        rows = [
            {"name": name, **_describe(section, entry), "description": entry.description}
            for name, entry in entries.items()
        ]
        if wants_json(json):
            print_document(rows)
        elif rows:
            print_table(list(rows[0]), ([str(cell) for cell in row.values()] for row in rows))
        if not rows:
            say(f"the configuration has no {section.name}; `{section.noun.split()[0]} add NAME` adds one")

    return list_entries


def _describe(section: Section, entry: object) -> dict[str, str]:
    if section.holder is None:
        return {key: str(getattr(entry, key)) for key in ("incoming", "outgoing")}
    part = getattr(entry, section.holder[0])
    return {"prototype": part.prototype}


incoming = group("Incoming connections of the configuration: where documents come from.")
outgoing = group("Outgoing connections of the configuration: where documents go.")
route = group("Routes of the configuration: which incoming goes to which outgoing connection.")

register_commands(incoming, INCOMING)
register_commands(outgoing, OUTGOING)
register_commands(route, ROUTES)
route.command("pause")(pause)
route.command("resume")(resume)
route.command("run")(run_now)
