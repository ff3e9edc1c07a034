"""Documents as letters, appended to a mailbox."""

from __future__ import annotations

import asyncio
from email.message import EmailMessage
from mailbox import Error, mbox
from pathlib import Path

from pydantic import Field

from connector.plugins import (
    JSON,
    ImmediateWriter,
    Outcome,
    Parameters,
    PublisherContext,
    PublisherPrototype,
    State,
    compile_template,
)

__all__ = ["MAILBOX"]


class MailboxParameters(Parameters):
    """Where letters go and what they say; texts may hold placeholders."""

    path: str = Field(description="A file in mbox format, from the configuration's folder; it is made if need be.")
    message_id: str = Field(description="The Message-ID. A letter whose id is in the mailbox is not written again.")
    subject: str = Field(description="The subject line.")
    text: str = Field(description="The letter itself.")


class MailboxWriter(ImmediateWriter):
    """Writes each document as one letter."""

    def __init__(self, parameters: MailboxParameters) -> None:
        self._path = parameters.path
        # Several documents are published at a time; a mailbox takes one letter after the other.
        self._writing = asyncio.Lock()
        parts = {"id": parameters.message_id, "subject": parameters.subject, "text": parameters.text}
        self._parts = {name: compile_template(part) for name, part in parts.items()}

    async def publish(self, document: JSON, context: PublisherContext) -> Outcome:
        letter = self._letter(document, context)
        try:
            async with self._writing:
                await asyncio.to_thread(append_letter, context.folder / self._path, letter)
        except (OSError, Error) as error:
            # Nothing was written, so that it may be tried again.
            return Outcome(State.NOT_SENT, reason=f"cannot write {self._path!r}: {error}")
        return Outcome(State.DONE, body={"message_id": letter["id"]})

    async def explain(self, document: JSON, context: PublisherContext) -> JSON:
        return {"file": str(context.folder / self._path), "letter": {**self._letter(document, context)}}

    def _letter(self, document: JSON, context: PublisherContext) -> dict[str, str]:
        return {name: str(part(document, context.scope)) for name, part in self._parts.items()}


def append_letter(path: Path, letter: dict[str, str]) -> None:
    """Append a letter to a mailbox, unless one with its id is there."""
    message = EmailMessage()
    message["Message-ID"], message["Subject"] = letter["id"], letter["subject"]
    message.set_content(letter["text"])
    box = mbox(path)
    box.lock()
    try:
        if all(known["Message-ID"] != letter["id"] for known in box):
            box.add(message)
            box.flush()
    finally:
        box.unlock()
        box.close()


MAILBOX = PublisherPrototype(
    "mailbox",
    "Letters, appended to a mailbox (mbox).",
    MailboxParameters,
    MailboxWriter,
    templates=("message_id", "subject", "text"),
)
