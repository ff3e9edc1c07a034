"""One part of a configuration, tried: a client, the first documents of an incoming connection, an outgoing request."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from copy import copy
from dataclasses import dataclass, field

from connector.catalogue import Catalogue
from connector.config import Configuration
from connector.config.diagnosis import diagnose
from connector.errors import ConfigurationError
from connector.model import JSON
from connector.offline import offline_mode
from connector.pipeline import IncomingRun, Runtime, explain_outgoing
from connector.pipeline.explain import without_effects

__all__ = ["Trial", "try_part"]

SOME = 3
"""Documents that a trial reads."""
PATIENCE = 30.0
"""Seconds after which a trial is given up."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What came of a trial."""

    works: bool
    text: str
    documents: list[JSON] = field(default_factory=list[JSON])
    request: JSON = None

    def as_document(self) -> JSON:
        """Return it as JSON."""
        return {"works": self.works, "text": self.text, "documents": self.documents, "request": self.request}


async def try_part(configuration: Configuration, section: str, name: str, document: JSON = None) -> Trial:
    """Try a client, an incoming or an outgoing connection, keep nothing and send nothing that costs money."""
    try:
        async with asyncio.timeout(PATIENCE):
            if section == "clients":
                return await _try_client(configuration, name)
            if section == "incoming":
                return await _read_some(configuration, name)
            return await _explain(configuration, name, document)
    except TimeoutError:
        return Trial(works=False, text=f"{name!r} was given up after {PATIENCE:.0f} s without a result")


async def _try_client(configuration: Configuration, name: str) -> Trial:
    entry = configuration.clients[name]
    async with entry.client(catalogue=Catalogue.open(configuration.catalogue_folder)) as client:
        found = await diagnose(client)
    return Trial(works=found.works, text=found.sentence(name))


async def _read_some(configuration: Configuration, name: str) -> Trial:
    """Read the first documents, as their chain makes them; no position moves."""
    documents: list[JSON] = []
    problems: list[str] = []
    async with Runtime(configuration, catalogue=Catalogue.open(configuration.catalogue_folder)) as runtime:
        quiet = copy(runtime)
        quiet.chained = without_effects(runtime)
        run = IncomingRun(quiet, name, tell=lambda _, state, reason: problems.append(f"{state}: {reason}"))
        async with aclosing(run.documents(limit=SOME)) as found:
            documents = [one async for one in found]
    if problems:
        return Trial(works=False, text=f"{name!r} reads, but {'; '.join(problems)}", documents=documents)
    if not documents:
        return Trial(works=True, text=f"{name!r} can be read, and has no documents now")
    return Trial(
        works=True, text=f"{name!r} gives documents; these are the first {len(documents)}", documents=documents
    )


async def _explain(configuration: Configuration, name: str, document: JSON) -> Trial:
    """Explain the request for a document without sending it."""
    if document is None:
        raise ConfigurationError(f"outgoing connection {name!r} needs a document to be tried with")
    with offline_mode():
        async with Runtime(configuration, catalogue=Catalogue.open(configuration.catalogue_folder)) as runtime:
            request = await explain_outgoing(runtime, name, document)
    return Trial(works=True, text=f"{name!r} would send this request; nothing was sent", request=request)
