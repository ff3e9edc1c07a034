"""The playground: a chain on sample documents, step by step while it is typed."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter

from connector.config.tree import read_text
from connector.model import JSON
from connector.studio.access import Context, Operator
from connector.studio.context import StudioContext
from connector.studio.playground import Sample, run_samples
from connector.studio.problems import Detail, Refused
from connector.studio.schemas.playground import PlaygroundRequest, PlaygroundResult, PlaygroundStep, SampleResult
from connector.transform.errors import InvalidChain

__all__ = ["router"]

router = APIRouter(tags=["playground"])

NAME = "chain.yaml"


@router.post("/playground/run", summary="Send documents through a chain")
async def run_chain(given: PlaygroundRequest, context: Context, _: Operator) -> PlaygroundResult:
    """Return what each step makes of each document; nothing is sent, stored or kept.

    Faults of the steps are part of the answer, since a chain that is being typed has some most of the time.
    """
    if (given.text is None) == (given.chain is None):
        raise Refused(422, "a chain is needed, and one only", "say `text` with its steps, or `chain` with its name")
    steps: JSON = given.chain
    if given.text is not None:
        tree = read_text(given.text, NAME)
        if tree.findings:
            faults = [
                Detail(where=f"line {one.place.line}", found=one.fault.found, allowed=one.fault.allowed)
                for one in tree.findings
            ]
            return PlaygroundResult(faults=faults, samples=[])
        steps = tree.value
    try:
        samples = await asyncio.to_thread(run_samples, context.configuration, steps, given.documents)
    except InvalidChain as error:
        faults = [
            Detail(
                where=one.where,
                found=context.redactor(one.found),
                allowed="; ".join(filter(None, (one.suggestion, one.allowed))),
            )
            for one in error.faults
        ]
        return PlaygroundResult(faults=faults, samples=[])
    return PlaygroundResult(faults=[], samples=[_describe(context, sample) for sample in samples])


def _describe(context: StudioContext, sample: Sample) -> SampleResult:
    return SampleResult(
        steps=[
            PlaygroundStep(where=one.where, step=one.step, document=context.redact(one.after), note=one.note)
            for one in sample.trace
        ],
        outputs=[context.redact(made) for made in sample.outputs],
        skipped=[context.redactor(reason) for reason in sample.skipped],
        failed=context.redactor(sample.failed),
        milliseconds=round(sample.seconds * 1000, 2),
    )
