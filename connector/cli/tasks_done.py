"""`tasks done`: what a person knows of a call that may have taken effect."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Exit, Option

from connector.cli.arguments import read_document
from connector.cli.exit_codes import ExitCode
from connector.cli.options import Config, Json
from connector.cli.output import print_line, print_text, say, wants_json
from connector.cli.tasks_filter import HostOptions
from connector.errors import ConfigurationError
from connector.model import JSON

if TYPE_CHECKING:
    from connector.engine import CallRecord, Task

__all__ = ["DoneOptions", "done"]


@dataclass(frozen=True, kw_only=True)
class DoneOptions(HostOptions):
    """The options of `tasks done`."""

    task: Annotated[int, Argument(metavar="ID", help="The id of a task that is unknown.")]
    config: Config = None
    answer: Annotated[
        str | None,
        Option("--answer", metavar="JSON|@FILE", help="The body of the API's answer, as far as it is known."),
    ] = None
    call: Annotated[
        str | None,
        Option("--call", metavar="ATTEMPT.CALL", help="Which call was done, such as 1.0, if several are in doubt."),
    ] = None
    reason: Annotated[str, Option("--reason", metavar="TEXT", help="How you know; kept with the call.")] = ""
    json: Json = None


def done(options: DoneOptions) -> None:
    """Take the call of an unknown task for done; its task goes on from there, and the call is not made again."""
    raise Exit(asyncio.run(_done(options)))


async def _done(options: DoneOptions) -> ExitCode:
    from connector.cli.tasks_filter import open_tasks
    from connector.engine import TaskState
    from connector.runtime.doubt import confirm_call

    answer: JSON = None if options.answer is None else read_document(options.answer, "--answer")
    async with open_tasks(options.config, options.host) as (store, configuration):
        redactor = configuration.redactor()
        if redactor.value(answer) != answer:
            raise ConfigurationError("--answer: it holds a secret of the configuration, and secrets are not kept")
        task = await store.task(options.task)
        if task is None:
            raise ConfigurationError(f"there is no task {options.task}; `tasks list --state unknown` shows those")
        if task.state is not TaskState.UNKNOWN:
            say(f"task {task.id} is {task.state.value}; only an unknown one can be taken for done")
            return ExitCode.INVALID
        call = _choose(task, options.call)
        confirmed = await confirm_call(store, call, answer, redactor(options.reason), time.time())
    if not confirmed:
        say(f"task {options.task} was changed meanwhile; `tasks show {options.task}` shows it as it is now")
        return ExitCode.INVALID
    if wants_json(options.json):
        print_line({"done": 1})
    else:
        print_text(f"{call.operation} of task {options.task} counts as done; the task goes on from there")
    then = "the run that is at work goes on with it, or the next `run`"
    say("its host is answered by it when it asks again" if options.host else then)
    return ExitCode.DONE


def _choose(task: Task, named: str | None) -> CallRecord:
    """Return the call in doubt that is meant; raise ConfigurationError unless it is one."""
    from connector.delivery.call_records import find_doubtful

    doubtful = find_doubtful(task.calls, task.retried)
    fitting = [call for call in doubtful if named in (None, f"{call.attempt}.{call.number}")]
    if len(fitting) == 1:
        return fitting[0]
    if not doubtful:
        raise ConfigurationError(
            f"no call of task {task.id} is in doubt; `tasks retry` repeats it, `tasks skip` ends it"
        )
    listed = ", ".join(f"{call.attempt}.{call.number} ({call.operation})" for call in doubtful)
    raise ConfigurationError(f"--call: {len(fitting)} calls of task {task.id} are meant; one of {listed} is allowed")
