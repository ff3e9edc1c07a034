"""`test`: cases of chains, and of connections with recorded answers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Exit, Option

from connector.cli.exit_codes import ExitCode
from connector.cli.options import Config
from connector.cli.output import say
from connector.errors import ConfigurationError
from connector.offline import offline_mode

if TYPE_CHECKING:
    from connector.pipeline.testing import Checked

__all__ = ["TestOptions", "test"]


@dataclass(frozen=True, kw_only=True)
class TestOptions:
    """The options of `test`."""

    __test__ = False  # not for pytest

    files: Annotated[
        list[Path] | None,
        Argument(metavar="FILES", help="*.test.yaml files, or folders with them; the current folder by default."),
    ] = None
    config: Config = None
    junit: Annotated[Path | None, Option("--junit", metavar="FILE", help="Write the results as JUnit XML.")] = None


def test(options: TestOptions) -> None:
    """Run test cases of chains, and of connections with recorded answers."""
    with offline_mode():
        raise Exit(asyncio.run(_test(options)))


async def _test(options: TestOptions) -> ExitCode:
    from connector.pipeline.testing import found_files, junit, run_files

    files = found_files(options.files or [Path()])
    if not files:
        raise ConfigurationError("no *.test.yaml files here; name files or folders that hold cases")
    tested: list[Checked] = []
    async for one in run_files(files, options.config):
        tested.append(one)
        if not one.passed:
            say(f"FAILED {one.file}: {one.name}")
            say("\n".join(f"    {line}" for line in one.difference.splitlines()))
    failed = sum(not one.passed for one in tested)
    say(f"{len(tested) - failed} passed, {failed} failed, in {len(files)} file{'' if len(files) == 1 else 's'}")
    if options.junit is not None:
        options.junit.write_bytes(junit(tested))
    return ExitCode.INVALID if failed else ExitCode.DONE
