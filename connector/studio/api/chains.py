"""The chains that can be tried, what they are tried with, and the test cases that are kept of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Header, Response

from connector.config import Configuration
from connector.config.tree import read_text
from connector.errors import ConfigurationError
from connector.model import JSON, is_object, members
from connector.pipeline.testing import load_for_cases, record_connection_case
from connector.studio.access import Context, Editor, Operator, Viewer
from connector.studio.case_files import FoundCase, append_case, case_file, find_cases
from connector.studio.chain_texts import ChainText, Kind, find_chain, list_chains
from connector.studio.config_files import Stale
from connector.studio.context import StudioContext
from connector.studio.idempotency import EffectRoute
from connector.studio.playground import OWN, Trial, read_trial
from connector.studio.problems import Detail, Refused
from connector.studio.roles import Role
from connector.studio.schemas.operations import CallResult
from connector.studio.schemas.playground import (
    CaseRequest,
    CaseView,
    ChainDetail,
    ChainRow,
    OutgoingRequest,
    OutgoingResult,
    OutgoingSend,
    SavedCase,
)
from connector.studio.send_once import Confirmed, explain_request, prepare_record, send_request, with_chain
from connector.transform import compile_chain
from connector.transform.cases import record_case

__all__ = ["router"]

router = APIRouter(tags=["playground"], route_class=EffectRoute)
PRECONDITION_REQUIRED, PRECONDITION_FAILED = 428, 412
VARIABLE = re.compile(r"variables\.([\w-]+)")


@router.get("/playground/chains", summary="List the chains")
async def list_all(context: Context, _: Viewer) -> list[ChainRow]:
    """Return the chains that can be tried: those of the configuration, then those that ship."""
    return [ChainRow(**_row(one)) for one in await asyncio.to_thread(list_chains, context)]


@router.get("/playground/chains/{kind}/{name}", summary="Read a chain")
async def read_chain(kind: Kind, name: str, context: Context, _: Viewer) -> ChainDetail:
    """Return a chain as it is written, its test cases, and the routes whose documents it is given."""
    return await asyncio.to_thread(_read, context, kind, name)


@router.post("/playground/explain", summary="Explain the request of a document")
async def explain_document(given: OutgoingRequest, context: Context, _: Operator) -> OutgoingResult:
    """Return the requests that an outgoing connection would make, with effect, price and where each value came from.

    Nothing is sent. A chain in place of the connection's own sees names in place of secrets.
    """
    context.configuration.find("outgoing", given.outgoing)
    configuration = context.configuration
    if given.text is not None:
        configuration = with_chain(configuration, given.outgoing, _steps(context, given.text))
    found = await explain_request(context, configuration, given.outgoing, given.document)
    return OutgoingResult(requests=found, reason="" if found else "the chain drops the document")


@router.post("/playground/send", summary="Send a document once")
async def send_document(given: OutgoingSend, context: Context, person: Operator) -> CallResult:
    """Send the request that a document becomes, once; who sends it confirms the effect, and where it goes.

    Its answer goes no further: no chain of answers sees it, and no task is made. Only an editor sends by a chain that
    is not saved.
    """
    configuration = context.configuration
    configuration.find("outgoing", given.outgoing)
    if given.text is not None:
        if not person.role.includes(Role.EDITOR):
            await context.audit.write(person, "playground send", f"outgoing {given.outgoing}", verdict="refused")
            raise Refused(
                403,
                f"{person.name} is an {person.role}, and sending by a chain that is not saved needs an editor",
                "send by the chain as it is saved, or ask an editor",
                kind="role",
            )
        configuration = with_chain(configuration, given.outgoing, _typed(context, given.text))
    confirmed = Confirmed(given.confirm, given.environment)
    result = await send_request(context, configuration, given.outgoing, given.document, confirmed)
    detail: JSON = {
        "state": result.state,
        "status": result.outcome.get("status"),
        "environment": given.environment,
        "chain": "as typed" if given.text is not None else "as saved",
        "cost": result.cost.amount,
    }
    await context.audit.write(person, "playground send", f"outgoing {given.outgoing}", detail=detail)
    return result


@router.post("/playground/cases", summary="Write a test case")
async def save_case(
    given: CaseRequest,
    response: Response,
    context: Context,
    person: Editor,
    if_match: Annotated[str | None, Header(description="The `cases_etag` of the chain.")] = None,
) -> SavedCase:
    """Write a document, and what the chain makes of it now, behind the cases that the chain has."""
    if not if_match:
        raise Refused(
            PRECONDITION_REQUIRED,
            "the header If-Match is missing, without which a case of somebody else might be lost",
            "send the `cases_etag` that GET /playground/chains/… gives",
        )
    chain = await asyncio.to_thread(find_chain, context, given.kind, given.chain)
    case = await asyncio.to_thread(_make_case, context, chain, given)
    try:
        saved, diff = await asyncio.to_thread(append_case, context.files, given.chain, case, if_match.strip('"'))
    except Stale as error:
        current = await asyncio.to_thread(_read, context, given.kind, given.chain)
        raise Refused(
            PRECONDITION_FAILED,
            f"{error}; nothing was written",
            "look at the cases that there are now, and write this one with their etag",
            extra={"current": current.model_dump(mode="json")},
        ) from None
    except OSError as error:
        raise Refused(
            507,
            f"the case cannot be written: {error.strerror or type(error).__name__}; the file is as it was",
            "make space, or let the studio write into the folder; then save again",
        ) from None
    await context.audit.write(person, "case save", f"file {saved.name}", detail={"diff": diff})
    response.headers["etag"] = f'"{saved.etag}"'
    expected: dict[str, JSON] = {
        name: case[name] for name in ("output", "outputs", "skipped", "failed", "unknown") if name in case
    }
    return SavedCase(file=saved.name, etag=saved.etag, diff=diff, expected=expected)


def _make_case(context: StudioContext, chain: ChainText, given: CaseRequest) -> dict[str, JSON]:
    """Return a case that passes now: what comes out is what it expects."""
    if chain.kind == "routes":
        raise Refused(
            422, "a route's chain has no cases of its own", "save the chain under `chains`, and name it there"
        )
    if chain.kind in ("incoming", "outgoing"):
        return _make_connection_case(context, chain, given)
    text = chain.text if given.text is None else given.text
    trial = read_trial(context.configuration, text, None, name=given.chain, parameters=given.parameters)
    if not isinstance(trial, Trial):
        raise _unreadable([(fault.where, f"line {line}: {fault.found}") for fault, line in trial])
    settings: dict[str, JSON] = {}
    if given.parameters:
        settings["parameters"] = given.parameters
    if variables := _variables(context.configuration, text):
        settings["variables"] = variables
    saved = {**context.configuration.saved_chains(), **trial.saved}
    compiled = compile_chain(trial.steps, saved)
    expected = asyncio.run(record_case(given.input, settings, compiled))
    return {"name": given.name, **settings, "input": given.input, **expected}


def _make_connection_case(context: StudioContext, chain: ChainText, given: CaseRequest) -> dict[str, JSON]:
    case: dict[str, JSON] = {"name": given.name, chain.kind: chain.name, "input": given.input}

    def load(environ: Mapping[str, str]) -> Configuration:
        loaded = load_for_cases(context.source, environ)
        if chain.kind == "outgoing" and given.text is not None:
            loaded = with_chain(loaded, chain.name, _steps(context, given.text))
        return loaded

    if given.answer is not None and chain.kind == "outgoing":
        request = asyncio.run(prepare_record(load({}), chain.name, given.input))
        answer: JSON = {"status": given.answer.status, "body": given.answer.body}
        case["upstream"] = [{"request": request, "answer": answer}]
    try:
        return case | asyncio.run(record_connection_case(case, load, given.name))
    except ConfigurationError as error:
        raise Refused(
            422,
            f"the case cannot be kept: {context.redactor(str(error))}",
            "send the document once first: a case holds what the call was answered",
        ) from None


def _variables(configuration: Configuration, text: str) -> dict[str, JSON]:
    """Return the variables that a chain names, with their values; a stand-in for those that are secret."""
    values, declared = configuration.variable_values(), configuration.variables
    names = [name for name in dict.fromkeys(VARIABLE.findall(text)) if name in values]
    return {name: f"secret-{name}" if declared[name].secret else values[name] for name in names}


def _steps(context: StudioContext, text: str) -> JSON:
    """Return the steps of a text, with names in place of secrets; raise Refused where it cannot be read."""
    trial = read_trial(context.configuration, text, None)
    if not isinstance(trial, Trial):
        raise _unreadable([(fault.where, f"line {line}: {fault.found}") for fault, line in trial])
    return members(trial.saved.get(OWN)).get("steps") if trial.saved else trial.steps


def _typed(context: StudioContext, text: str) -> JSON:
    """Return the steps of a text as they are, for an editor."""
    tree = read_text(context.files.mask.show(text), "chain.yaml")
    if tree.findings:
        raise _unreadable([(one.fault.where, f"line {one.place.line}: {one.fault.found}") for one in tree.findings])
    value: JSON = [] if tree.value is None else tree.value
    return value["steps"] if is_object(value) and "steps" in value else value


def _unreadable(faults: list[tuple[str, str]]) -> Refused:
    wrong = [Detail(where=where or "text", found=found) for where, found in faults]
    return Refused(422, "the chain cannot be read", "mend what `errors` names", kind="invalid", errors=wrong)


def _read(context: StudioContext, kind: Kind, name: str) -> ChainDetail:
    chain = find_chain(context, kind, name)
    declared = members(members(read_text(chain.text, "chain.yaml").value).get("parameters"))
    try:
        cases = None if kind == "routes" else case_file(context.source, name)
    except ConfigurationError:
        cases = None
    return ChainDetail(
        **_row(chain),
        text=chain.text,
        parameters=dict(declared) if kind in ("chains", "ready") else {},
        routes=_routes(context.configuration, kind, name),
        cases=[_view(context, one) for one in find_cases(context.source, kind, name)],
        cases_file=cases.name if cases else None,
        cases_etag=cases.etag if cases else "",
    )


def _routes(configuration: Configuration, kind: Kind, name: str) -> list[str]:
    """Return the routes whose tasks hold documents as the chain is given them; an incoming's are from before that."""
    if kind == "incoming":
        return []
    if kind == "routes":
        return [name]
    return [one for one, route in configuration.routes.items() if kind != "outgoing" or route.outgoing == name]


def _row(chain: ChainText) -> dict[str, JSON]:
    file = chain.file.name if chain.file else None
    return {"kind": chain.kind, "name": chain.name, "summary": chain.summary, "file": file, "line": chain.line}


def _view(context: StudioContext, found: FoundCase) -> CaseView:
    return CaseView(
        name=str(found.case.get("name") or "a case without a name"),
        file=found.file,
        input=context.redact(found.case["input"]),
        parameters=dict(members(context.redact(found.case.get("parameters")))),
        expected=dict(members(context.redact(found.expected))),
    )
