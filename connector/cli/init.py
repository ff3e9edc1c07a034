"""`init`: a first configuration, complete enough to run, and what to do next."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument

from connector.cli.output import say
from connector.declarations import CONFIGURATION_NAMES as NAMES
from connector.errors import ConfigurationError

__all__ = ["init"]

DOCUMENTS = "tickets.jsonl"
MODEL = "MODEL"
"""The place of the default model for small work, in the configuration."""
FIRST = """\
# A first configuration: every line of tickets.jsonl becomes one call, every answer a line of answers.jsonl.
# `openai-connector lint` checks it; `openai-connector steps` lists what a chain may do.
clients:
  openai: {prototype: openai, parameters: {token: "${OPENAI_API_KEY}"}}   # never the key itself

incoming:
  tickets: {subscriber: {prototype: file, parameters: {url: tickets.jsonl}}}

outgoing:
  answer:
    chain:
      - chat-prompt:
          model: MODEL
          system: You answer in one short sentence.
          prompt: "&{text}"            # a field of the document
    publisher: {prototype: openai, parameters: {client: openai, entity: chat completions, action: create}}
    answer:
      chain: [{answer-text: {keep: {ticket: "&{document.id}"}}}]
      publisher: {prototype: file, parameters: {url: answers.jsonl, append: true}}

routes:
  answers: {incoming: tickets, outgoing: answer, key: id}   # a ticket that was answered is not taken again
"""
TICKETS = """\
{"id": 1, "text": "My lamp arrived broken. What can I do?"}
{"id": 2, "text": "When do you open on Saturdays?"}
"""
NEXT = """\
next:
  export OPENAI_API_KEY=your-key
      or, without a key and for nothing, in another terminal: openai-connector sandbox
      and here: export OPENAI_BASE_URL=http://127.0.0.1:8765/v1 OPENAI_API_KEY=any
  openai-connector lint
  openai-connector explain answer --document '{"id": 1, "text": "Hello"}'
      shows the exact request and sends nothing
  openai-connector run --once
      the answers are in answers.jsonl"""


def init(
    folder: Annotated[
        Path, Argument(metavar="FOLDER", help="The folder to write to; it is created if needed.")
    ] = Path(),
) -> None:
    """Write a first configuration that can run, and say what to do next; overwrite nothing."""
    from connector.config.sources import catalogue_in
    from connector.model_registry import load_registry

    there = [name for name in (*NAMES, DOCUMENTS) if (folder / name).exists()]
    if there:
        raise ConfigurationError(
            f"{folder / there[0]} is there already, and nothing was written: name a new folder, as in `init first`, or "
            "add to what is there by `client add`, `incoming add`, `outgoing add` and `route add`"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        entities = catalogue_in(folder, None)
        configuration = FIRST.replace(MODEL, load_registry(entities).default("small"))
        for name, text in ((NAMES[0], configuration), (DOCUMENTS, TICKETS)):
            with (folder / name).open("x", encoding="utf-8") as file:
                file.write(text)
            say(f"wrote {folder / name}")
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be written to: {error.strerror or error}") from None
    say(_next(folder))


def _next(folder: Path) -> str:
    entered = "" if folder == Path() else f"\n  cd {folder}"
    return NEXT.replace("next:", f"next:{entered}", 1)
