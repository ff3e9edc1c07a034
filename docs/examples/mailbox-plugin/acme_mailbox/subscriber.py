"""Letters of a mailbox, each a document."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from mailbox import mbox
from pathlib import Path

from pydantic import Field

from connector.plugins import JSON, Parameters, SubscriberContext, SubscriberPrototype, UnreadableDocument

__all__ = ["MAILBOX"]


class MailboxParameters(Parameters):
    """Where the mailbox is."""

    path: str = Field(description="A file in mbox format, from the configuration's folder.")


class MailboxReader:
    """Reads every letter of a mailbox."""

    def __init__(self, parameters: MailboxParameters) -> None:
        self._path = parameters.path

    async def documents(self, context: SubscriberContext) -> AsyncGenerator[JSON, None]:
        for letter in await asyncio.to_thread(read_letters, context.folder / self._path):
            if letter["id"] is None:
                context.on_unreadable(
                    UnreadableDocument({"subject": letter["subject"]}, "the letter has no Message-ID")
                )
            else:
                yield letter

    async def explain(self, context: SubscriberContext) -> JSON:
        return {"file": str(context.folder / self._path)}


def read_letters(path: Path) -> list[dict[str, JSON]]:
    """Return the letters of a mailbox in their order."""
    box = mbox(path, factory=None, create=False)
    try:
        parser = BytesParser(EmailMessage, policy=default)
        return [as_document(parser.parsebytes(box.get_bytes(key))) for key in box.iterkeys()]
    finally:
        box.close()


def as_document(letter: EmailMessage) -> dict[str, JSON]:
    """Return what the connector sees of a letter."""
    body = letter.get_body(("plain",))
    return {
        "id": letter["Message-ID"],
        "from": letter["From"],
        "subject": letter["Subject"],
        "text": body.get_content().strip() if body is not None else "",
    }


MAILBOX = SubscriberPrototype("mailbox", "Letters of a mailbox (mbox).", MailboxParameters, MailboxReader)
