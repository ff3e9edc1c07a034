"""What all parts of a studio share: the configuration, the store, who is signed in, what changed."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from connector.config import Configuration
from connector.config.models.gateway import hash_token
from connector.config.tree import walk
from connector.declarations import CONFIGURATION_NAMES
from connector.engine import Change, Store
from connector.engine.search import Patience, TaskSearch
from connector.errors import ConnectorError
from connector.model import JSON
from connector.pipeline import load_configuration
from connector.request import Redactor
from connector.studio.audit import AuditLog
from connector.studio.auth import Attempts, Sessions
from connector.studio.config_files import ConfigFiles
from connector.studio.events import EventHub
from connector.studio.examples import Examples
from connector.studio.index_path import find_index
from connector.studio.published_calls import PublishedCalls
from connector.studio.rates import Rates
from connector.studio.roles import Person, Role

__all__ = ["StudioContext"]

TRIALS = 3
"""Chains that are tried at a time."""


@dataclass(kw_only=True)
class StudioContext:
    """One studio: what it shows, and what it needs for that.

    Attributes:
        source: the configuration's file or folder.
        configuration: as it was read last without an error.
        faults: what is wrong with the configuration as it is now.
        store: where the tasks are; opened to look after them, as a run may work beside.
        origins: the addresses that it is reached by, such as http://127.0.0.1:8790.
        pages: the folder of the built pages.
        clock: seconds since 1970.
        monotonic: seconds that never go back.
        examples: what runs examples; None where none can be run.
        patience: how long a search of the tasks may take.
    """

    source: Path
    configuration: Configuration
    store: Store
    origins: tuple[str, ...] = ("http://127.0.0.1:8790",)
    faults: str = ""
    pages: Path = Path(__file__).parent / "pages"
    clock: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    examples: Examples | None = None
    patience: Patience = field(default_factory=Patience)
    events: EventHub = field(default_factory=EventHub)
    published: PublishedCalls = field(default_factory=PublishedCalls)
    _search: TaskSearch | None = None
    sessions: Sessions = field(init=False)
    attempts: Attempts = field(init=False)
    audit: AuditLog = field(init=False)
    redactor: Redactor = field(init=False)
    rates: Rates = field(init=False)
    files: ConfigFiles = field(init=False)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set after a change that was made here: a store tells of those that others make."""
    gateway_metrics: Callable[[], bytes] | None = None
    """Renders the metrics of a gateway in this process."""
    under_way: set[str] = field(default_factory=set[str])
    """The idempotency keys of requests that are under way."""
    keys_used: int = 0
    trials: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(TRIALS))
    """Places for chains that are tried: one that computes for long keeps no others waiting but trials."""
    account_models: dict[str, tuple[float, frozenset[str] | None, str]] = field(
        default_factory=dict[str, tuple[float, frozenset[str] | None, str]]
    )
    """What each client's list of models said, and when it was asked."""
    sandboxes: tuple[float, Mapping[str, str]] = (float("-inf"), MappingProxyType({}))
    """When it was asked which clients call a sandbox, and the addresses of those."""

    def __post_init__(self) -> None:
        self.redactor = self.configuration.redactor()
        self.rates = Rates(self.monotonic)
        self.files = ConfigFiles(self.source, lambda: self.redactor.secrets)
        self.sessions = Sessions(self.clock)
        self.attempts = Attempts(self.monotonic)
        self.audit = AuditLog(self.store, self.clock, self.redact)

    @property
    def search(self) -> TaskSearch:
        """The search of the tasks, opened when somebody first looks for some."""
        if self._search is None:
            path = find_index(self.configuration.engine_url, self.configuration.folder)
            self._search = TaskSearch(self.store, path, patience=self.patience)
            self._search.start()
        return self._search

    async def close(self) -> None:
        """Close what was opened on the way."""
        await self.published.close()
        if self._search is not None:
            await self._search.close()
            self._search = None

    def reload(self) -> None:
        """Read the configuration again; while it has errors, the one before stays in force."""
        try:
            self.configuration = load_configuration(self.source)
        except ConnectorError as error:
            self.faults = str(error)
            return
        self.faults = ""
        self.redactor = self.configuration.redactor()

    def mentioned_models(self) -> frozenset[str]:
        """Return the texts of the configuration that stand where a model does."""
        written = walk(self.configuration.tree.value)
        return frozenset(value for path, value in written if isinstance(value, str) and path and path[-1] == "model")

    async def commit(self, *records: Mapping[tuple[str, str], JSON]) -> None:
        """Write small values as one change, on disk when this returns, and let the pages know."""
        await self.store.commit(Change(records={key: value for each in records for key, value in each.items()}))
        self.changed.set()

    def redact(self, value: JSON) -> JSON:
        """Return a value without secrets."""
        return self.redactor.value(value)

    @property
    def name(self) -> str:
        """The short name of the configuration."""
        path = self.source.resolve()
        return path.parent.name if path.name in CONFIGURATION_NAMES else path.stem

    def identify(self, *, code: str | None = None, token: str | None = None) -> Person | None:
        """Return who a printed link's code or a token stands for; None when it is not known."""
        if code:
            return self.sessions.redeem(code)
        given = hash_token(token or "")
        found: Person | None = None
        for name, entry in self.configuration.studio.active_tokens.items():
            if hmac.compare_digest(entry.hash, given):
                found = Person(name, Role(entry.role), "token")
        return found

    @property
    def cookie(self) -> str:
        """The name of the session's cookie: browsers share cookies among the ports of a host."""
        address = self.origins[0]
        port = address.rpartition(":")[2]
        name = f"studio-{port}" if port.isdigit() else "studio"
        return f"__Host-{name}" if self.is_secure else name

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches it."""
        host = urlsplit(self.origins[0]).hostname or ""
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"

    @property
    def is_secure(self) -> bool:
        """Whether it is reached by HTTPS."""
        return self.origins[0].startswith("https:")
