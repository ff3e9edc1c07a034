"""The configuration: read, checked, edited and saved."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Header, Response

from connector.catalogue import Catalogue
from connector.config import Finding
from connector.config.loading import examine
from connector.config.schema import json_schema
from connector.config.sources import folder_of
from connector.config.text_edits import ABSENT, insert_in_text, move_in_text, put_in_text, rename_in_text
from connector.config.tree import read_text
from connector.config.variable_usage import used_variables
from connector.errors import ConnectorError
from connector.pipeline import kinds
from connector.studio.access import Context, Editor, Operator, Viewer
from connector.studio.config_files import ConfigText, InvalidText, Stale, diff_texts
from connector.studio.context import StudioContext
from connector.studio.problems import Detail, Refused
from connector.studio.roles import Role
from connector.studio.schemas.config import (
    ConfigFile,
    ConfigState,
    Edit,
    EditRequest,
    EditResult,
    EntryPlace,
    FoundFault,
    LintRequest,
    RenamedFile,
    RenameRequest,
    SavedFile,
    SaveRequest,
    TestRequest,
    TestResult,
    VariableUse,
)
from connector.studio.trials import try_part

__all__ = ["router"]

router = APIRouter(tags=["config"])

PRECONDITION_REQUIRED, PRECONDITION_FAILED, INSUFFICIENT_STORAGE = 428, 412, 507


@router.get("/config", summary="Read the configuration")
async def read_config(context: Context, _: Viewer) -> ConfigState:
    """Return all files of the configuration and what lint finds in them; secrets are replaced by markers."""
    files = await asyncio.to_thread(context.files.read)
    return ConfigState(files=[_as_file(file) for file in files], faults=await _lint(context, {}))


@router.post("/config/lint", summary="Check texts")
async def lint_config(given: LintRequest, context: Context, _: Viewer) -> list[FoundFault]:
    """Return what lint would find if files said something else; nothing is saved."""
    return await _lint(context, given.texts)


@router.post("/config/edit", summary="Change values in a text")
async def edit_config(given: EditRequest, context: Context, _: Viewer) -> EditResult:
    """Return a text with changed values, its comments kept, and what lint would find; nothing is saved."""

    def change(text: str, file: Path) -> str:
        for edit in given.edits:
            text = _apply(edit, text, file)
        return text

    made = await asyncio.to_thread(context.files.edit, given.file, given.text, change)
    saved = await asyncio.to_thread(context.files.read_one, given.file)
    tree = read_text(made.text, given.file)
    return EditResult(
        text=made.text,
        diff=diff_texts(given.file, saved.text, made.text),
        values=tree.value,
        readable=not any(one.rule == "syntax" for one in tree.findings),
        entries=[
            EntryPlace(section=str(path[0]), name=str(path[1]) if len(path) > 1 else "", line=key.line)
            for path, (key, _) in tree.places.items()
            if 1 <= len(path) <= 2
        ],
        faults=await _lint(context, {**given.others, given.file: made.text}),
    )


def _apply(edit: Edit, text: str, file: Path) -> str:
    path = tuple(edit.path)
    if edit.op == "insert":
        return insert_in_text(text, file, path, edit.value)
    if edit.op == "move":
        return move_in_text(text, file, path, edit.place)
    if edit.op == "rename":
        return rename_in_text(text, file, path, edit.name)
    return put_in_text(text, file, path, edit.value if edit.op == "set" else ABSENT)


@router.post("/config/rename", summary="Rename an entry")
async def rename_config(given: RenameRequest, context: Context, _: Viewer) -> list[RenamedFile]:
    """Return the files that change when an entry, and everything that names it, has another name; nothing is saved."""
    changed = await asyncio.to_thread(context.files.rename, given.texts, given.section, given.name, given.to)
    return [RenamedFile(name=one.name, text=one.text) for one in changed]


@router.put("/config", summary="Save a file of the configuration")
async def save_config(
    given: SaveRequest,
    response: Response,
    context: Context,
    person: Editor,
    if_match: Annotated[str | None, Header(description="The etag of the file that was changed.")] = None,
) -> SavedFile:
    """Save a file whole or not at all, and only if it brings no new errors and nobody else has changed it meanwhile."""
    if not if_match:
        raise Refused(
            PRECONDITION_REQUIRED,
            "the header If-Match is missing, without which a change of somebody else might be lost",
            "send the etag of the file that you have changed",
        )
    try:
        saved, diff = await asyncio.to_thread(context.files.save, given.file, given.text, if_match.strip('"'))
    except Stale as error:
        current = await asyncio.to_thread(context.files.read_one, given.file)
        raise Refused(
            PRECONDITION_FAILED,
            f"{error}; nothing was saved",
            "merge your change into `current`, and save that with its etag",
            extra={"current": _as_file(current).model_dump()},
        ) from None
    except OSError as error:
        raise Refused(
            INSUFFICIENT_STORAGE,
            f"{given.file} cannot be written: {error.strerror or type(error).__name__}; it is as it was",
            "make space, or let the studio write into the folder; then save again",
        ) from None
    except InvalidText as error:
        raise Refused(
            422, str(error), "mend what `errors` names", kind="invalid", errors=_details(context, error.findings)
        ) from None
    await context.audit.write(person, "config save", f"file {given.file}", detail={"diff": diff})
    context.reload()
    context.changed.set()
    response.headers["etag"] = f'"{saved.etag}"'
    return SavedFile(file=_as_file(saved), diff=diff, faults=await _lint(context, {}))


@router.get("/config/schema", summary="Read the JSON Schema")
async def read_schema(context: Context, _: Viewer) -> dict[str, Any]:
    """Return the JSON Schema of a configuration: every field with its type, bounds, default and a sentence."""
    return await asyncio.to_thread(lambda: json_schema(kinds(), Catalogue.open(context.configuration.catalogue_folder)))


@router.post("/config/test", summary="Try a part of the configuration")
async def test_part(given: TestRequest, context: Context, person: Operator) -> TestResult:
    """Try a client with one free call, read the first documents of an incoming connection, or explain the request of an
    outgoing one; nothing is kept, no position moves, and nothing that costs money is sent."""
    if given.texts and not person.role.includes(Role.EDITOR):
        raise Refused(
            403, "a change that is not saved is tried by an editor only", "try what is saved: leave `texts` out"
        )
    try:
        configuration = (
            await asyncio.to_thread(context.files.draft, given.texts) if given.texts else context.configuration
        )
    except ConnectorError as error:
        return TestResult(works=False, text=context.files.hide(context.redactor(str(error))))
    configuration.find(given.section, given.name)
    await context.audit.write(person, "config test", f"{given.section} {given.name}")
    try:
        found = await try_part(configuration, given.section, given.name, given.document)
    except ConnectorError as error:
        return TestResult(works=False, text=configuration.redactor()(context.redactor(str(error))))
    return TestResult.model_validate(configuration.redactor().value(context.redact(found.as_document())))


@router.get("/variables", summary="List the variables")
async def list_variables(context: Context, _: Viewer) -> list[VariableUse]:
    """Return the variables that the configuration uses, and whether each is set; never their values."""
    found = await asyncio.to_thread(lambda: used_variables(examine(context.source)))
    return [
        VariableUse(
            name=one.name,
            state=one.state,
            source=one.source,
            secret=one.secret,
            description=one.description,
            used=[_relative(context, used) for used in one.used],
        )
        for one in found
    ]


async def _lint(context: StudioContext, texts: dict[str, str]) -> list[FoundFault]:
    return [_as_fault(context, one) for one in await asyncio.to_thread(context.files.lint, texts)]


def _as_file(file: ConfigText) -> ConfigFile:
    return ConfigFile(name=file.name, text=file.text, etag=file.etag, values=read_text(file.text, file.name).value)


def _as_fault(context: StudioContext, finding: Finding) -> FoundFault:
    return FoundFault(
        rule=finding.rule,
        severity=finding.severity.value,
        file=_relative(context, finding.place.file),
        line=finding.place.line,
        column=finding.place.column,
        where=finding.fault.where,
        text=context.files.hide(context.redactor(finding.words)),
    )


def _details(context: StudioContext, findings: Sequence[Finding]) -> list[Detail]:
    faults = [_as_fault(context, one) for one in findings]
    return [Detail(where=f"{one.file}:{one.line}:{one.column}", found=one.text) for one in faults]


def _relative(context: StudioContext, place: str) -> str:
    return place.removeprefix(f"{folder_of(context.source)}/")
