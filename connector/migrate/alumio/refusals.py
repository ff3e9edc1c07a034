"""What has no counterpart here, and what stands in its place: a step that fails and says why."""

from __future__ import annotations

from collections.abc import Mapping

from connector.migrate.yamltext import Noted

__all__ = ["NoCounterpart", "Refusal", "why"]


class NoCounterpart(Exception):
    """Something that cannot be said here."""

    def __init__(self, path: str, why: str) -> None:
        self.path = path
        self.brief = why.partition(";")[0]
        super().__init__(why)


class Refusal(Noted):
    """A step that fails, in the place of one that does not come over."""

    def __init__(self, message: str, uses: Mapping[str, int] | None = None) -> None:
        plain = message.replace("{", "(").replace("}", ")")
        super().__init__({"exception": {"message": plain}}, f"Not carried over: {plain}.", uses)


def why(kind: str, name: str) -> str:
    if name == "code-transformer":
        return (
            "code-transformer is refused: it runs JavaScript, and chains here evaluate no code; "
            "write it with steps, with an expression step (jmespath or jsonata), or as a step of your own in Python"
        )
    noun = {"step": "transformer"}.get(kind, kind)
    return f"the {noun} {name!r} has no counterpart here"
