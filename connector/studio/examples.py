"""The examples that a studio can run: each against a sandbox, in a folder, a store and a studio of its own."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from connector.aio.tasks import cancel_all
from connector.config import Configuration
from connector.declarations import folder as declared

__all__ = ["Example", "Examples", "OpenStudio", "list_examples", "prepare"]

INPUTS: Mapping[str, str] = {
    "ticket-triage": "tickets.jsonl",
    "moderation-queue": "comments.jsonl",
    "route-by-decision": "letters.jsonl",
    "product-copy": "products.csv",
}
"""The examples that need nothing but a key, with the file that each reads."""
MOST = 200
"""Lines of that file: enough to see how it flows, few enough for a minute."""
LIVE = 'token: "${OPENAI_API_KEY}"'
"""How their client is configured for the real API."""
KEY = "SANDBOX_KEY"
"""The variable of the key that the sandbox is given: it takes any."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Example:
    """What an example is, and how many documents it reads."""

    name: str
    title: str
    text: str
    documents: int


class Opened(Protocol):
    """A studio that listens."""

    def link(self) -> str: ...


OpenStudio = Callable[[Path, Configuration], AbstractAsyncContextManager[Opened]]


def list_examples() -> list[Example]:
    """Return what can be run; nothing where this installation has no examples."""
    return [_describe(name, path) for name in INPUTS if (path := _folder(name)).is_dir()]


def _folder(name: str) -> Path:
    packed = declared("examples") / name
    return packed if packed.is_dir() else declared("docs") / "examples" / name


def _describe(name: str, path: Path) -> Example:
    """Read its title from its page, and what it does from the comment at the head of its configuration."""
    title = (path / "README.md").read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
    lines = (path / "connector.yaml").read_text(encoding="utf-8").splitlines()
    comment = lines[: next(number for number, line in enumerate(lines) if not line.startswith("#"))]
    text = " ".join(line.removeprefix("#").strip() for line in comment)
    return Example(name, title, text, len(_read_input(path / INPUTS[name])) - INPUTS[name].endswith(".csv"))


def _read_input(path: Path) -> list[str]:
    with path.open(encoding="utf-8") as lines:
        return list(islice(lines, MOST))


def prepare(name: str, folder: Path, address: str) -> Path:
    """Copy an example, with its first documents and a client that can reach the sandbox alone; return its file.

    Args:
        name: the example.
        folder: where the copy goes.
        address: where the sandbox listens.
    """
    target = folder / name
    shutil.copytree(_folder(name), target)
    source, documents = target / "connector.yaml", target / INPUTS[name]
    documents.write_text("".join(_read_input(documents)), encoding="utf-8")
    text = source.read_text(encoding="utf-8")
    source.write_text(text.replace(LIVE, f'base_uri: "{address}", token: "${{{KEY}}}"'), encoding="utf-8")
    (target / ".env").write_text(f"{KEY}=any\n", encoding="utf-8")
    return source


class Examples:
    """Runs one example at a time; the one before ends when another is started.

    Args:
        open_studio: opens the studio of a configuration, on a port of its own.
    """

    def __init__(self, open_studio: OpenStudio) -> None:
        self._open = open_studio
        self._lock = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def start(self, name: str) -> str:
        """Start an example; return the link of its studio as soon as that answers."""
        async with self._lock:
            await cancel_all(self._task)
            ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            self._task = task = asyncio.create_task(self._serve(name, ready))
            await asyncio.wait((ready, task), return_when=asyncio.FIRST_COMPLETED)
            if not ready.done():
                await task
            return ready.result()

    async def close(self) -> None:
        """End the example that runs, and forget its files."""
        async with self._lock:
            await cancel_all(self._task)

    async def _serve(self, name: str, ready: asyncio.Future[str]) -> None:
        from connector.pipeline import load_configuration
        from connector.sandbox import Sandbox

        with TemporaryDirectory(prefix="openai-connector-example-") as folder:
            async with Sandbox(seed=1) as sandbox:
                source = await asyncio.to_thread(prepare, name, Path(folder), sandbox.url)
                configuration = load_configuration(source)
                async with self._open(source, configuration) as studio:
                    ready.set_result(studio.link())
                    with suppress(asyncio.CancelledError):
                        await _run(configuration)
                        log.info("example %s has run to its end", name)
                        await asyncio.Event().wait()


async def _run(configuration: Configuration) -> None:
    """Deliver everything once, as `run --once` does."""
    from connector.engine import open_store
    from connector.pipeline import Runtime
    from connector.runtime.plan import Plan
    from connector.runtime.runner import Runner

    store = await open_store(configuration.engine_url)
    try:
        async with Runtime(configuration) as runtime:
            await Runner(runtime, store, Plan.of(configuration, ()), once=True).run()
    finally:
        await store.close()
