"""`make run`: a thousand support tickets through the sandbox and the gateway; with --live ten through the real API."""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

from tools.demo_live import agreed
from tools.demo_servers import ADDRESS, COMMAND, TOKEN, Server, gateway, sandbox, studio

__all__ = ["main"]

EXAMPLE = Path(__file__).parents[1] / "docs" / "examples" / "ticket-triage"
FOLDER = Path(".demo")
LIVE_CLIENT = 'token: "${OPENAI_API_KEY}"'
SHOWN = 88
INTERRUPTED = 130
TICKET = '{"id": "T-1", "subject": "Lamp", "text": "It arrived broken."}'


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the example, and leaves the servers up for whoever sits at the terminal."""
    asked = _parser().parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        if asked.live:
            return _live(asked.tickets or 10, yes=asked.yes)
        return _offline(asked.tickets or 1000, keep=asked.keep)
    except KeyboardInterrupt:
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument("--tickets", type=int, metavar="N", help="how many: 1000 offline, 10 live unless given")
    parser.add_argument("--live", action="store_true", help="call the real API with OPENAI_API_KEY, which costs money")
    parser.add_argument("--yes", action="store_true", help="with --live: do not ask")
    keeps = sys.stdin.isatty() and sys.stdout.isatty()
    help_ = "whether the servers stay up after the run; on a terminal they do"
    parser.add_argument("--keep", action=argparse.BooleanOptionalAction, default=keeps, help=help_)
    return parser


def _offline(tickets: int, *, keep: bool) -> int:
    folder = offline(prepared(FOLDER / "offline", tickets))
    token = f"demo-{secrets.token_hex(8)}"
    with ExitStack() as stack:
        api = stack.enter_context(sandbox(folder))
        door = stack.enter_context(gateway(folder, api.url, token))
        # Beside the configuration, so that every command that is given it reaches the gateway.
        (folder / ".env").write_text(f"{ADDRESS}={door.url}/openai/v1\n{TOKEN}={token}\n", encoding="utf-8")
        say(f"sandbox  {api.url}", f"gateway  {door.url}", f"example  {folder}/connector.yaml, {tickets:,} tickets", "")
        code = run(folder)
        if code == 0:
            show(folder / "out")
            say("The sandbox does not think: topics and urgencies are made up, their form is not.")
        if code == 0 and keep:
            _stay(folder, api, door, token, stack.enter_context(studio(folder, api.url)))
        elif code == 0:
            say("", "The servers are stopped again; with --keep (make run ARGS=--keep) they stay.")
    return code


def _live(tickets: int, *, yes: bool) -> int:
    if not os.environ.get("OPENAI_API_KEY"):
        say("--live needs a key: set OPENAI_API_KEY")
        return 2
    rehearsal = offline(prepared(FOLDER / "rehearsal", tickets))
    if not agreed(rehearsal, tickets, yes=yes):
        return 1
    # What was paid for stays: a second run sends only what is new.
    folder = prepared(FOLDER / "live", tickets, afresh=False)
    code = run(folder)
    show(folder / "out")
    return code


def prepared(folder: Path, tickets: int, *, afresh: bool = True) -> Path:
    """A copy of the example with its first tickets; what an earlier run left is gone unless it is to go on."""
    if afresh:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(EXAMPLE / "connector.yaml", folder)
    with (EXAMPLE / "tickets.jsonl").open(encoding="utf-8") as given:
        (folder / "tickets.jsonl").write_text("".join(islice(given, tickets)), encoding="utf-8")
    return folder


def offline(folder: Path) -> Path:
    """The copy, with a client that cannot reach the real API, whatever key the environment holds."""
    path = folder / "connector.yaml"
    text = path.read_text(encoding="utf-8")
    assert LIVE_CLIENT in text
    own = f'base_uri: "${{{ADDRESS}}}", token: "${{{TOKEN}}}"'
    path.write_text(text.replace(LIVE_CLIENT, own), encoding="utf-8")
    return folder


def run(folder: Path) -> int:
    """Runs the example to its end; its progress and its summary are the command's own."""
    command = [*COMMAND, "run", "--once", "-f", str(folder / "connector.yaml")]
    return subprocess.run(command, check=False).returncode


def show(out: Path) -> None:
    """What was written, and how it begins."""
    say("")
    for path in sorted(out.glob("*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            first = next(lines, "").rstrip()
            count = sum(1 for _ in lines) + 1
        cut = f"{first[:SHOWN]}…" if len(first) > SHOWN else first
        say(f"{path}: {count:,} lines", f"  {cut}")


def _stay(folder: Path, api: Server, door: Server, token: str, pages: Server) -> None:
    command = f"{_command()} "
    given = f"-f {folder}/connector.yaml"
    say(
        "",
        "Look at the tickets in the studio; the link signs you in, once:",
        f"  {pages.url}",
        "",
        "Try next, in another terminal:",
        "  # again: nothing is sent twice",
        f"  {command}run --once {given}",
        "  # the exact request for a ticket of yours; nothing is sent",
        f"  {command}explain classify {given} --document '{TICKET}'",
        "  # any call through the gateway",
        f"  {command}curl --gateway {door.url} --token {token} /v1/models --select 'body.data[].id'",
        "",
        "Sandbox, gateway and studio stay up; Ctrl-C stops them.",
    )
    try:
        api.wait()
    except KeyboardInterrupt:
        say("", "stopped")


def _command() -> str:
    beside = Path(sys.executable).with_name("openai-connector")
    here = Path.cwd()
    return str(beside.relative_to(here) if beside.is_relative_to(here) else beside)


def say(*lines: str) -> None:
    """Lines for the person at the terminal, before whatever is started next says something."""
    print("\n".join(lines), flush=True)


if __name__ == "__main__":
    sys.exit(main())
