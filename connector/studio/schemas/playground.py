"""A chain on sample documents: what each step makes of each of them."""

from __future__ import annotations

from pydantic import Field, JsonValue

from connector.studio.problems import Detail
from connector.studio.schemas.base import Answer, Received

__all__ = ["PlaygroundRequest", "PlaygroundResult", "PlaygroundStep", "SampleResult"]

MOST, TEXT = 20, 1_000_000


class PlaygroundRequest(Received):
    """A chain, and documents to send through it."""

    text: str | None = Field(
        default=None, max_length=TEXT, description="The chain's steps as YAML, as they stand in a configuration."
    )
    chain: str | None = Field(default=None, description="In place of `text`: a saved or ready-made chain's name.")
    documents: list[JsonValue] = Field(description="The documents.", min_length=1, max_length=MOST)


class PlaygroundStep(Answer):
    """What one step made of a document."""

    where: str = Field(description="The place of the step.", examples=["chain[1]"])
    step: str = Field(description="The kind of step.", examples=["mapper"])
    document: JsonValue = Field(description="The document after it.")
    note: str = Field(description="What it did instead, such as skipping the document.")


class SampleResult(Answer):
    """What became of one document."""

    steps: list[PlaygroundStep] = Field(description="The steps that it passed, in their order.")
    outputs: list[JsonValue] = Field(description="The documents that came out.")
    skipped: list[str] = Field(description="Why it was dropped.")
    failed: str = Field(description="Why it failed, and where; empty when it did not.")
    milliseconds: float = Field(description="How long it took.")


class PlaygroundResult(Answer):
    """What a chain made of its documents."""

    faults: list[Detail] = Field(description="What is wrong with the steps; then no document passes them.")
    samples: list[SampleResult] = Field(description="What became of each document, in their order.")
