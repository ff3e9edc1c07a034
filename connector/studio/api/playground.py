"""The playground: a chain on sample documents, step by step while it is typed."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter

from connector.model import is_list, is_object, items
from connector.studio.access import Context, Operator, Viewer
from connector.studio.chain_texts import find_chain, put_chain
from connector.studio.config_files import diff_texts
from connector.studio.context import StudioContext
from connector.studio.playground import Sample, Trial, read_trial, run_trial
from connector.studio.problems import Refused
from connector.studio.schemas.playground import (
    PlaygroundFault,
    PlaygroundRequest,
    PlaygroundResult,
    PlaygroundStep,
    SampleResult,
    TakeRequest,
    TakeResult,
)
from connector.studio.shortener import Shortener
from connector.transform import TraceEntry
from connector.transform.errors import InvalidChain

__all__ = ["router"]

router = APIRouter(tags=["playground"])


@router.post("/playground/run", summary="Send documents through a chain")
async def run_chain(given: PlaygroundRequest, context: Context, _: Operator) -> PlaygroundResult:
    """Return what each step makes of each document; nothing is sent, stored or kept, and secrets are names only.

    Faults of the steps are part of the answer, since a chain that is being typed has some most of the time.
    """
    if (given.text is None) == (given.chain is None):
        raise Refused(422, "a chain is needed, and one only", "say `text` with its steps, or `chain` with its name")
    trial = read_trial(
        context.configuration,
        given.text,
        given.chain,
        name=given.name,
        parameters=given.parameters,
        most=given.steps,
    )
    if not isinstance(trial, Trial):
        found = [
            PlaygroundFault(where=fault.where, line=line, found=context.redactor(fault.found), allowed=fault.allowed)
            for fault, line in trial
        ]
        return PlaygroundResult(faults=found, samples=[], count=0)
    count = _count(trial)
    try:
        async with context.trials:
            samples = await asyncio.to_thread(run_trial, context.configuration, trial, given.documents)
    except InvalidChain as error:
        faults = [
            PlaygroundFault(
                where=one.where,
                line=trial.place_of(one.where)[1],
                found=context.redactor(one.found),
                allowed="; ".join(filter(None, (one.suggestion, one.allowed))),
            )
            for one in error.faults
        ]
        return PlaygroundResult(faults=faults, samples=[], count=count)
    return PlaygroundResult(faults=[], samples=[_describe(context, trial, sample) for sample in samples], count=count)


def _count(trial: Trial) -> int:
    value = trial.tree.value
    steps = value.get("steps") if is_object(value) and "steps" in value else value
    return len(items(steps)) if is_list(steps) else int(steps is not None)


def _describe(context: StudioContext, trial: Trial, sample: Sample) -> SampleResult:
    # The whole of a saved chain ends with its last step; it says nothing that the step does not.
    trace = sample.trace[:-1] if trial.saved and sample.trace and _is_whole(sample.trace[-1]) else sample.trace
    cut = Shortener("")
    return SampleResult(
        steps=[_describe_step(context, trial, cut, one) for one in trace],
        outputs=[cut.shorten(context.redact(made), "", "") for made in sample.outputs],
        skipped=[context.redactor(reason) for reason in sample.skipped],
        failed=context.redactor(sample.failed),
        milliseconds=round(sample.seconds * 1000, 2),
    )


def _is_whole(entry: TraceEntry) -> bool:
    return entry.where.startswith("chain[0]") and not entry.note


def _describe_step(context: StudioContext, trial: Trial, cut: Shortener, entry: TraceEntry) -> PlaygroundStep:
    number, line = trial.place_of(entry.where)
    return PlaygroundStep(
        where=entry.where,
        step=entry.step,
        number=number,
        line=line,
        inner=trial.is_inner(entry.where),
        document=cut.shorten(context.redact(entry.before if entry.note else entry.after), "", ""),
        note=context.redactor(entry.note),
        milliseconds=round(entry.seconds * 1000, 3),
    )


@router.post("/playground/take", summary="Put a chain into the configuration")
async def take_chain(given: TakeRequest, context: Context, _: Viewer) -> TakeResult:
    """Return the file of a chain with the chain as it was typed; PUT /config saves it. Nothing is saved here."""

    def put() -> TakeResult:
        chain = find_chain(context, given.kind, given.name)
        before, text = put_chain(chain, given.text)
        return TakeResult(
            file=before.name, etag=before.etag, text=text, diff=diff_texts(before.name, before.text, text)
        )

    return await asyncio.to_thread(put)
