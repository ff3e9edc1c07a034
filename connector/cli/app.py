"""The command line, put together; every command's work is imported when it runs."""

from __future__ import annotations

import sys
from typing import Annotated

from typer import Exit, Option

from connector.cli.airbyte import airbyte
from connector.cli.budget import budget
from connector.cli.call import call
from connector.cli.call_options import CallOptions
from connector.cli.client import client
from connector.cli.command import command, group
from connector.cli.config import lint, schema, variables
from connector.cli.curl import CurlOptions, curl
from connector.cli.entities import entities
from connector.cli.entry_commands import incoming, outgoing, route
from connector.cli.exit_codes import of_error
from connector.cli.explain import ExplainOptions, explain
from connector.cli.export import export
from connector.cli.forecast import ForecastOptions, forecast
from connector.cli.imports import imports
from connector.cli.init import init
from connector.cli.mcp import mcp
from connector.cli.models import models
from connector.cli.openapi import openapi
from connector.cli.output import say
from connector.cli.publish import PublishOptions, publish
from connector.cli.run import RunOptions, run
from connector.cli.sandbox import SandboxOptions, sandbox
from connector.cli.serve import gateway_token, serve
from connector.cli.singer import singer
from connector.cli.steps import chains, steps
from connector.cli.studio import studio, studio_token
from connector.cli.subscribe import SubscribeOptions, subscribe
from connector.cli.tasks import backup, tasks
from connector.cli.test import TestOptions, test
from connector.cli.transform import TransformOptions, transform
from connector.cli.webhooks import webhooks
from connector.cli.worker import worker
from connector.errors import ConnectorError

__all__ = ["app", "main"]

INTERRUPTED = 130

app = group("Call any operation of the OpenAI API by name, checked before it is sent.", name="openai-connector")


def _version(wanted: bool) -> None:
    if wanted:
        from connector.version import version as installed

        print(installed())  # noqa: T201  the result
        raise Exit


@app.callback()
def openai_connector(
    *,
    version: Annotated[bool, Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Call any operation of the OpenAI API by name, checked before it is sent."""


app.command("init")(init)
app.command("call")(command(call, CallOptions))
app.command("explain")(command(explain, ExplainOptions, dry_run=True))
app.command("subscribe")(command(subscribe, SubscribeOptions, every=True))
app.command("publish")(command(publish, PublishOptions))
app.command("transform")(command(transform, TransformOptions))
app.command("test")(command(test, TestOptions))
app.command("curl")(command(curl, CurlOptions))
app.command("forecast")(command(forecast, ForecastOptions))
app.command("run")(command(run, RunOptions))
app.command("backup")(backup)
app.command("serve")(serve)
app.command("gateway-token")(gateway_token)
app.command("studio")(studio)
app.command("studio-token")(studio_token)
app.command("mcp")(mcp)
app.command("sandbox")(command(sandbox, SandboxOptions))
app.command("steps")(steps)
app.command("chains")(chains)
app.command("lint")(lint)
app.command("schema")(schema)
app.command("variables")(variables)
app.add_typer(airbyte, name="airbyte")
app.add_typer(singer, name="singer")
app.add_typer(entities, name="entities")
app.add_typer(models, name="models")
app.add_typer(openapi, name="openapi")
app.add_typer(export, name="export")
app.add_typer(worker, name="worker")
app.add_typer(client, name="client")
app.add_typer(incoming, name="incoming")
app.add_typer(outgoing, name="outgoing")
app.add_typer(route, name="route")
app.add_typer(budget, name="budget")
app.add_typer(tasks, name="tasks")
app.add_typer(webhooks, name="webhooks")
app.add_typer(imports, name="import")
app.add_typer(worker, name="worker")


def main() -> None:
    """The command `openai-connector`: errors are sentences, exit codes are documented."""
    try:
        app()
    except ConnectorError as error:
        say(f"openai-connector: {error}")
        sys.exit(of_error(error))
    except KeyboardInterrupt:
        say("interrupted")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
