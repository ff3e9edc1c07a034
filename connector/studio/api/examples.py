"""Examples: a first look at tasks that flow, without a key and without a configuration."""

from __future__ import annotations

from fastapi import APIRouter

from connector.studio.access import Context, Editor, Viewer
from connector.studio.examples import list_examples
from connector.studio.problems import Refused
from connector.studio.schemas.examples import ExampleInfo, ExampleList, ExampleStarted

__all__ = ["router"]

router = APIRouter(tags=["examples"])
ELSEWHERE = "an example opens a studio on the machine of this one, which another machine does not reach"


@router.get("/examples", summary="List the examples")
async def read_examples(context: Context, _: Viewer) -> ExampleList:
    """Return the examples that can be run from here."""
    if not context.is_local:
        return ExampleList(items=[], why=ELSEWHERE)
    items = [ExampleInfo(name=e.name, title=e.title, text=e.text, documents=e.documents) for e in list_examples()]
    return ExampleList(items=items, why="" if items else "this installation has no examples")


@router.post("/examples/{name}/run", summary="Run an example", status_code=201)
async def run_example(name: str, context: Context, person: Editor) -> ExampleStarted:
    """Run an example against a sandbox, in a folder, a store and a studio of its own.

    Nothing of this studio's configuration or tasks is touched, nothing leaves the machine, nothing is paid. Another
    example, or the end of this studio, ends it and removes its files.
    """
    if context.examples is None or not context.is_local:
        raise Refused(409, ELSEWHERE, "run `openai-connector studio` on your own machine")
    if name not in {example.name for example in list_examples()}:
        raise Refused(404, f"there is no example {name!r}", "GET /examples lists them")
    await context.audit.write(person, "example run", f"example {name}")
    return ExampleStarted(link=await context.examples.start(name))
