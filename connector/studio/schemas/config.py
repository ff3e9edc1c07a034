"""The configuration: its files, what is found in them, edits, trials of its parts."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue, StrictInt, StrictStr

from connector.studio.schemas.base import Answer, Received

__all__ = [
    "ConfigFile",
    "ConfigState",
    "Edit",
    "EditRequest",
    "EditResult",
    "EntryPlace",
    "FoundFault",
    "LintRequest",
    "RenameRequest",
    "RenamedFile",
    "SaveRequest",
    "SavedFile",
    "TestRequest",
    "TestResult",
    "VariableUse",
]

TEXT = 4_000_000


class FoundFault(Answer):
    """One thing that lint finds."""

    rule: str = Field(description="The rule.", examples=["unknown-key"])
    severity: Literal["error", "warning"] = Field(description="A configuration with errors cannot run.")
    file: str = Field(description="The file, relative to the configuration's folder.")
    line: int = Field(description="The line, counted from 1.")
    column: int = Field(description="The column, counted from 1.")
    where: str = Field(description="The path of the value.", examples=["routes.tickets.key"])
    text: str = Field(description="What was found, what is allowed, and what was meant.")


class ConfigFile(Answer):
    """One file of the configuration; secrets are replaced by markers, which stand for them on saving."""

    name: str = Field(description="Its name, relative to the configuration's folder.", examples=["connector.yaml"])
    text: str = Field(description="What it says.")
    etag: str = Field(description="What `If-Match` must say to save it.")
    values: JsonValue = Field(description="What it says, as values; null when it cannot be read.")


class ConfigState(Answer):
    """The whole configuration."""

    files: list[ConfigFile] = Field(description="Its files, in the order in which they are read.")
    faults: list[FoundFault] = Field(description="What lint finds in it.")


class LintRequest(Received):
    """Texts to check in place of those that are saved."""

    texts: dict[str, str] = Field(description="What files are taken to say, by their names.", max_length=1000)


class Edit(Received):
    """One change of a value."""

    op: Literal["set", "remove", "insert", "move", "rename"] = Field(
        description="What to do; `insert` makes room in a list, `move` changes an item's place in it."
    )
    path: list[StrictStr | StrictInt] = Field(
        description="Where: names of members, places in lists.", min_length=1, max_length=50, examples=[["routes", "a"]]
    )
    value: JsonValue = Field(default=None, description="The new value.")
    place: StrictInt = Field(default=0, description="Where an item is moved to, counted from 0.", ge=0, le=100_000)
    name: StrictStr = Field(default="", description="The new name of a member.", max_length=500)


class EditRequest(Received):
    """Changes to make in a text; nothing is saved."""

    file: str = Field(description="The file.", examples=["connector.yaml"])
    edits: list[Edit] = Field(
        default_factory=list[Edit], description="The changes, one after the other; without any, the text is read.",
        max_length=1000,
    )  # fmt: skip
    others: dict[str, str] = Field(
        default_factory=dict[str, str], description="What other files are taken to say.", max_length=1000
    )
    text: str | None = Field(default=None, description="The text to change, by default what is saved.", max_length=TEXT)


class EntryPlace(Answer):
    """Where an entry stands in its file."""

    section: str = Field(description="The section.", examples=["routes"])
    name: str = Field(description="The entry; empty for the section itself.")
    line: int = Field(description="The line, counted from 1.")


class EditResult(Answer):
    """A text with changes that are not saved yet."""

    text: str = Field(description="The text.")
    diff: str = Field(description="The difference from what is saved, as a unified diff.")
    values: JsonValue = Field(description="What the text says, as values.")
    readable: bool = Field(description="Whether it is YAML; what is not has no values.")
    entries: list[EntryPlace] = Field(description="Where each entry of each section begins.")
    faults: list[FoundFault] = Field(description="What lint would find.")


class RenameRequest(Received):
    """An entry to rename; nothing is saved."""

    section: Literal["clients", "incoming", "outgoing", "routes", "chains", "schedules", "storages", "variables"] = (
        Field(description="Where the entry is.")
    )
    name: str = Field(description="Its name.", max_length=500)
    to: str = Field(description="Its new name.", min_length=1, max_length=100)
    texts: dict[str, str] = Field(
        default_factory=dict[str, str], description="What files are taken to say.", max_length=1000
    )


class RenamedFile(Answer):
    """A file that an entry's new name changes."""

    name: str = Field(description="Its name.")
    text: str = Field(description="What it would say.")


class SaveRequest(Received):
    """A file to save."""

    file: str = Field(description="The file.", examples=["connector.yaml"])
    text: str = Field(description="What it is to say.", max_length=TEXT)


class SavedFile(Answer):
    """A file that was saved."""

    file: ConfigFile = Field(description="The file as it is now.")
    diff: str = Field(description="What was changed, as a unified diff.")
    faults: list[FoundFault] = Field(description="What lint finds now.")


class TestRequest(Received):
    """A part of the configuration to try."""

    section: Literal["clients", "incoming", "outgoing"] = Field(description="Where the part is.")
    name: str = Field(description="Its name.")
    document: JsonValue = Field(default=None, description="The document that an outgoing connection is given.")
    texts: dict[str, str] = Field(
        default_factory=dict[str, str],
        description="What files are taken to say: a change is tried before it is saved, by an editor.",
        max_length=1000,
    )


class TestResult(Answer):
    """What came of a trial; nothing was kept, sent or paid for that is not said here."""

    works: bool = Field(description="Whether it works.")
    text: str = Field(description="What came of it, in a sentence, and what to do next.")
    documents: list[JsonValue] = Field(
        default_factory=list[JsonValue], description="The first documents that were read."
    )
    request: JsonValue = Field(default=None, description="The request that would be sent.")


class VariableUse(Answer):
    """A variable; never its value."""

    name: str = Field(description="Its name, as it is written.", examples=["${OPENAI_API_KEY}"])
    state: Literal["set", "default", "missing"] = Field(description="Whether it has a value.")
    source: str = Field(description="Where the value comes from: environment, .env, file, keyring; or nothing.")
    secret: bool = Field(description="Whether it holds a secret.")
    description: str = Field(description="What it is for.")
    used: list[str] = Field(description="Where it is used.")
