"""Examples that run against a sandbox in a click."""

from __future__ import annotations

from pydantic import Field

from connector.studio.schemas.base import Answer

__all__ = ["ExampleInfo", "ExampleList", "ExampleStarted"]


class ExampleInfo(Answer):
    """An example."""

    name: str = Field(description="Its name.", examples=["ticket-triage"])
    title: str = Field(description="What it is called.")
    text: str = Field(description="What it does, in a sentence.")
    documents: int = Field(description="How many documents it reads.")


class ExampleList(Answer):
    """The examples that can be run from here."""

    items: list[ExampleInfo] = Field(description="The examples.")
    why: str = Field(default="", description="Why there is none to run.")


class ExampleStarted(Answer):
    """An example that is under way."""

    link: str = Field(description="Signs in to its own studio, once. It lasts as long as this studio.")
