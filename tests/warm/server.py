"""A process that has imported the connector, and forks for each command; a fork of it ends as the command does."""

from __future__ import annotations

import array
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

__all__ = ["run"]

ROOT = Path(__file__).parents[2]
MISTAKE = "WARM_MISTAKE"


def run(address: str) -> None:
    """Serve for ever; returns in none but a fork, when its command has."""
    load()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(64)
    asked = wait_to_be_asked(listener)
    become(asked)
    plant(os.environ.pop(MISTAKE, ""))
    from connector.cli import main

    main()


def load() -> None:
    """Import what any command may import, and keep the collector from it: a fork shares what nobody writes to."""
    import connector
    from connector.errors import ConfigurationError

    for module in pkgutil.walk_packages(connector.__path__, "connector."):
        if not module.name.endswith("__main__"):
            with suppress(ImportError, ConfigurationError):  # an extra that is not installed
                importlib.import_module(module.name)
    gc.collect()
    gc.freeze()


def wait_to_be_asked(listener: socket.socket) -> dict[str, Any]:
    """Return, in a fork, what it is asked to run."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that watch a command
    parent = os.getppid()
    while True:
        while not select.select([listener], [], [], 2)[0]:
            if os.getppid() != parent:  # who began this was killed
                os.killpg(0, signal.SIGKILL)
        link, _ = listener.accept()
        if os.fork():
            link.close()
            continue
        listener.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        asked, files = receive(link)
        child = os.fork()
        if not child:
            link.close()
            return asked | {"files": files}
        for file in files:
            os.close(file)
        watch(link, child)


def receive(link: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Return what a client asks, and its three open files."""
    files = array.array("i")
    head, rights, _, _ = link.recvmsg(4, socket.CMSG_SPACE(3 * files.itemsize))
    for _, _, data in rights:
        files.frombytes(data)
    left, text = int.from_bytes(head, "big"), b""
    while len(text) < left:
        text += link.recv(left - len(text))
    return json.loads(text), list(files)


def watch(link: socket.socket, child: int) -> None:
    """Hand on signals, and the exit code; a client that was killed takes its command with it."""
    ending = os.pidfd_open(child)
    while not select.select([ending], [], [], 0)[0]:
        ready, _, _ = select.select([ending, link], [], [])
        if link in ready:
            for number in link.recv(100) or [signal.SIGKILL]:
                os.kill(child, number)
            if ending not in ready:
                select.select([ending], [], [], 0.01)
    _, status = os.waitpid(child, 0)
    with suppress(OSError):
        link.sendall(json.dumps(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def become(asked: dict[str, Any]) -> None:
    """Take over the words, the folder, the variables and the files of the client."""
    for number, file in enumerate(asked["files"]):
        os.dup2(file, number)
        os.close(file)
    for number in asked["ignored"]:
        signal.signal(number, signal.SIG_IGN)
    os.environ.clear()
    os.environ.update(asked["variables"])
    time.tzset()
    os.chdir(asked["folder"])
    sys.argv = ["openai-connector", *asked["arguments"]]
    sys.modules["__main__"].__package__ = None  # or it calls itself `python -m`
    sys.stdin, sys.stdout = open(0, encoding="utf-8"), open(1, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1)  # noqa: SIM115


def plant(mistake: str) -> None:
    """Put a mistake into the command, if one is named."""
    if mistake:
        module, _, name = mistake.partition(":")
        sys.path.insert(0, str(ROOT))
        importlib.import_module(module).plant(name)


if __name__ == "__main__":
    sys.path.remove(str(ROOT))
    run(sys.argv[1])
