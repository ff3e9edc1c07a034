"""A worker that offers the activities of a configuration on a task queue of a Temporal server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from connector.errors import ConfigurationError
from connector.hosts.temporal import activities

if TYPE_CHECKING:
    from temporalio.client import Client
    from temporalio.service import TLSConfig

    from connector.config import Configuration
    from connector.config.models import Temporal
    from connector.hosts.temporal.definitions import Activities

__all__ = ["connect", "serve"]


@dataclass(frozen=True, slots=True)
class Offered:
    """What a worker offers, and where."""

    activities: Activities
    client: Client
    task_queue: str


async def connect(configuration: Configuration) -> Client:
    """Connect to the server that a configuration names; ConfigurationError says why that is not possible."""
    from temporalio.client import Client

    settings = configuration.temporal
    api_key = settings.api_key
    tls = await asyncio.to_thread(_read_tls, settings, configuration.folder)
    try:
        return await Client.connect(
            settings.address, namespace=settings.namespace, api_key=api_key, tls=tls or api_key is not None
        )
    except (RuntimeError, ValueError) as error:
        reason = configuration.redactor()(str(error))
        raise ConfigurationError(
            f"temporal.address: {settings.address} cannot be reached: {reason}; is a Temporal server there, and are tls"
            " and api_key what it asks for?"
        ) from None


async def serve(
    configuration: Configuration,
    say: Callable[[str], None],
    stopping: asyncio.Event,
    *,
    task_queue: str = "",
    folder: Path | None = None,
) -> None:
    """Offer the activities of a configuration until it is to stop.

    Args:
        say: told what is offered.
        task_queue: in place of the configuration's.
        folder: a catalogue in place of the configuration's.
    """
    async with _offer(configuration, task_queue, folder) as offered:
        from temporalio.worker import Worker

        settings = configuration.temporal
        worker = Worker(
            offered.client,
            task_queue=offered.task_queue,
            activities=list(offered.activities.definitions),
            max_concurrent_activities=settings.concurrency,
            graceful_shutdown_timeout=timedelta(seconds=settings.grace),
        )
        async with worker:
            names = ", ".join(offered.activities.names)
            say(f"activities on {offered.task_queue!r} of {settings.address}, {settings.namespace}: {names}")
            await stopping.wait()
            say("stopping: calls under way may end")


@asynccontextmanager
async def _offer(configuration: Configuration, task_queue: str, folder: Path | None) -> AsyncGenerator[Offered]:
    """Open the activities before the server is connected to: a fault of the configuration is told first."""
    async with activities(configuration, folder) as opened:
        client = await connect(configuration)
        yield Offered(opened, client, task_queue or configuration.temporal.task_queue)


def _read_tls(settings: Temporal, folder: Path) -> TLSConfig | None:
    """Return how the connection is made private; None unless that is configured."""
    if settings.tls is None:
        return None
    from temporalio.service import TLSConfig

    if (settings.tls.certificate is None) != (settings.tls.key is None):
        raise ConfigurationError("temporal.tls: certificate and key belong together; give both or none")

    def read(name: str | None, field: str) -> bytes | None:
        try:
            return None if name is None else (folder / name).read_bytes()
        except OSError as error:
            raise ConfigurationError(f"temporal.tls.{field}: {name} cannot be read: {error.strerror}") from None

    return TLSConfig(
        server_root_ca_cert=read(settings.tls.ca, "ca"),
        client_cert=read(settings.tls.certificate, "certificate"),
        client_private_key=read(settings.tls.key, "key"),
        domain=settings.tls.server_name,
    )
