"""The error policy's notation: which answers a rule is about, and what is then done."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from connector.model import Effect

__all__ = ["Action", "Rule", "Who"]


class Action(StrEnum):
    """What is done about an answer that is not plainly done."""

    RETRY = "retry"
    FAIL = "fail"
    IGNORE = "ignore"
    PAUSE = "pause"
    UNKNOWN = "unknown"


class Who(StrEnum):
    """Who must act before the same call can pass."""

    USER = "user"
    OPENAI = "openai"
    NETWORK = "network"
    HERE = "here"
    """Something on this side: a file, a table, a folder."""


Status = int | Literal["3xx", "4xx", "5xx"]


def _several(value: object) -> object:
    """One condition written without a list."""
    return (value,) if isinstance(value, int | str) else value


Several = BeforeValidator(_several)


class Rule(BaseModel):
    """An answer that meets every condition is dealt with as `then` says; the first rule that fits decides."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    status: Annotated[tuple[Status, ...], Several] = Field(
        default=(), description="Statuses this rule is about, or 3xx, 4xx, 5xx."
    )
    code: Annotated[tuple[str, ...], Several] = Field(
        default=(), description="Values of error.code or error.type this rule is about."
    )
    body: str = Field(default="", description="A text that the answer's body must contain.")
    effect: Annotated[tuple[Effect, ...], Several] = Field(
        default=(), description="Effects of the operations this rule is about."
    )
    method: str = Field(default="", description="The only method this rule is about.")
    repeated: bool | None = Field(
        default=None, description="Whether an earlier attempt of the same call may have taken effect."
    )
    then: Action = Field(description="What is done: retry, fail, ignore (count as done), pause or unknown.")
    who: Literal[Who.USER, Who.OPENAI, Who.NETWORK] = Field(
        default=Who.USER, description="Who must act: user, openai or network."
    )
    advice: str = Field(default="", description="What to do next, in words.")

    def fits(
        self, status: int, codes: frozenset[str], body: str, effect: Effect, method: str, *, repeated: bool
    ) -> bool:
        """Whether every condition of the rule is met."""
        return (
            (not self.status or status in self.status or f"{status // 100}xx" in self.status)
            and (not self.code or not codes.isdisjoint(self.code))
            and (not self.effect or effect in self.effect)
            and (not self.method or method == self.method)
            and (self.repeated is None or repeated is self.repeated)
            and self.body in body
        )
