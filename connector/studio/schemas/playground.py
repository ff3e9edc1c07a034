"""A chain on sample documents: what each step makes of each, the request that comes of it, the cases that are kept."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue, StringConstraints

from connector.model import Effect
from connector.studio.schemas.base import Answer, Received
from connector.studio.schemas.operations import Explained

__all__ = [
    "CaseRequest",
    "CaseView",
    "ChainDetail",
    "ChainKind",
    "ChainRow",
    "OutgoingRequest",
    "OutgoingResult",
    "OutgoingSend",
    "PlaygroundFault",
    "PlaygroundRequest",
    "PlaygroundResult",
    "PlaygroundStep",
    "RecordedAnswer",
    "SampleResult",
    "SavedCase",
    "TakeRequest",
    "TakeResult",
]

MOST, TEXT, LONGEST, STEPS = 20, 1_000_000, 200, 1000
ChainKind = Literal["chains", "ready", "incoming", "outgoing", "routes"]
Name = Annotated[str, Field(max_length=LONGEST)]
Text = Annotated[str, Field(max_length=TEXT)]
KIND = "The part of the configuration, or `ready` for a chain that ships."


class ChainRow(Answer):
    """A chain in short."""

    kind: ChainKind = Field(description=KIND)
    name: str = Field(description="Its name there.", examples=["reply"])
    summary: str = Field(description="What it is for; empty where nothing says it.")
    file: str | None = Field(description="The file that it stands in; null for one that ships.")
    line: int | None = Field(description="Its line there.")


class CaseView(Answer):
    """A test case."""

    name: str = Field(description="Its name.")
    file: str = Field(description="Its file; empty for one that ships.", examples=["reply.test.yaml"])
    input: JsonValue = Field(description="The document.")
    parameters: dict[str, JsonValue] = Field(description="What the chain is given.")
    expected: dict[str, JsonValue] = Field(description="What must come out: {output, outputs, skipped, failed}.")


class ChainDetail(ChainRow):
    """A chain as it is written, and what it can be tried with."""

    text: str = Field(description="Its steps as YAML, or `parameters` and `steps` of a saved chain.")
    parameters: dict[str, JsonValue] = Field(description="The parameters that it declares.")
    routes: list[str] = Field(description="Routes whose tasks' documents it is given.")
    cases: list[CaseView] = Field(description="Its test cases.")
    cases_file: str | None = Field(description="The file that a new case is written into; null where there is none.")
    cases_etag: str = Field(description="What `If-Match` must say to write one.")


class PlaygroundRequest(Received):
    """A chain, and documents to send through it."""

    text: str | None = Field(
        default=None, max_length=TEXT, description="The chain's steps as YAML, or a saved chain: {parameters, steps}."
    )
    chain: str | None = Field(
        default=None, max_length=LONGEST, description="In place of `text`: a saved or ready-made chain's name."
    )
    documents: list[JsonValue] = Field(description="The documents.", min_length=1, max_length=MOST)
    name: Name = Field(default="", description="Under which name a saved chain is tried.")
    parameters: dict[str, JsonValue] = Field(
        default_factory=dict[str, JsonValue], description="What a saved chain is given."
    )
    steps: int | None = Field(
        default=None, ge=0, le=STEPS, description="With how many steps of `text`: the document stops there."
    )


class PlaygroundStep(Answer):
    """What one step made of a document."""

    where: str = Field(description="The place of the step.", examples=["chain[1]"])
    step: str = Field(description="The kind of step.", examples=["mapper"])
    number: int | None = Field(description="Which step of `text` it is, from 0; null for one within a named chain.")
    line: int | None = Field(description="The line of `text` that it begins on.")
    inner: bool = Field(description="Whether it is a part of the step that comes after it.")
    document: JsonValue = Field(description="The document after it; shortened when it is large.")
    note: str = Field(description="What it did instead, such as skipping the document.")
    milliseconds: float = Field(description="How long it took, with the steps within it.")


class SampleResult(Answer):
    """What became of one document."""

    steps: list[PlaygroundStep] = Field(description="The steps that it passed, in their order.")
    outputs: list[JsonValue] = Field(description="The documents that came out; shortened when they are large.")
    skipped: list[str] = Field(description="Why it was dropped.")
    failed: str = Field(description="Why it failed, and where; empty when it did not.")
    milliseconds: float = Field(description="How long it took.")


class PlaygroundFault(Answer):
    """One thing that is wrong with the steps."""

    where: str = Field(description="The place of the step.", examples=["chain[1].expression"])
    line: int | None = Field(description="The line of `text`.")
    found: str = Field(description="What was found there.")
    allowed: str = Field(description="What is allowed there.")


class PlaygroundResult(Answer):
    """What a chain made of its documents."""

    faults: list[PlaygroundFault] = Field(description="What is wrong with the steps; then no document passes them.")
    samples: list[SampleResult] = Field(description="What became of each document, in their order.")
    count: int = Field(description="How many steps `text` has.")


class OutgoingRequest(Received):
    """A document for an outgoing connection."""

    outgoing: Name = Field(description="The connection.", examples=["reply"])
    document: JsonValue = Field(description="The document.")
    text: str | None = Field(default=None, max_length=TEXT, description="A chain in place of its own.")


class OutgoingSend(OutgoingRequest):
    """A document that is to be sent once."""

    confirm: Effect = Field(description="The effect as it was explained: who sends knows what a repeat would do.")
    environment: Literal["sandbox", "api"] = Field(description="Where it goes, as it was explained.")


class OutgoingResult(Answer):
    """The requests that a document becomes; none was sent."""

    requests: list[Explained] = Field(description="The requests; none where the chain drops the document.")
    reason: str = Field(description="Why there is none; empty otherwise.")


class RecordedAnswer(Received):
    """What a call was answered, for a case of an outgoing connection."""

    status: int = Field(default=200, ge=100, le=599, description="The status.")
    body: JsonValue = Field(default=None, description="The body.")


class CaseRequest(Received):
    """A test case to write."""

    kind: ChainKind = Field(description=KIND)
    chain: Name = Field(description="The name of the chain or connection.")
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST)] = Field(
        description="The name of the case: what it shows.", examples=["a greeting"]
    )
    input: JsonValue = Field(description="The document.")
    parameters: dict[str, JsonValue] = Field(
        default_factory=dict[str, JsonValue], description="What a saved chain is given."
    )
    text: str | None = Field(default=None, max_length=TEXT, description="The chain as it is typed, not saved yet.")
    answer: RecordedAnswer | None = Field(
        default=None, description="What the call was answered: an outgoing connection's case needs it."
    )


class SavedCase(Answer):
    """A test case that was written."""

    file: str = Field(description="The file.", examples=["reply.test.yaml"])
    etag: str = Field(description="What `If-Match` must say to write the next one.")
    diff: str = Field(description="What was written, as a unified diff.")
    expected: dict[str, JsonValue] = Field(description="What the case expects: what the chain makes now.")


class TakeRequest(Received):
    """A chain as it was typed, to put into the configuration."""

    kind: ChainKind = Field(description=KIND)
    name: Name = Field(description="Its name there.")
    text: Text = Field(description="The chain.")


class TakeResult(Answer):
    """The file of a chain with the chain as it was typed; nothing is saved."""

    file: str = Field(description="The file.", examples=["connector.yaml"])
    etag: str = Field(description="What `If-Match` of PUT /config must say to save it.")
    text: str = Field(description="What the file would say.")
    diff: str = Field(description="What would be changed, as a unified diff.")
