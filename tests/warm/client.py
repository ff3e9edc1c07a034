"""Stands in PATH as `openai-connector`: a warm process runs its command, and it ends as that does."""

import array
import json
import os
import signal
import socket
import sys

ADDRESS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "socket")  # noqa: PTH118, PTH120, PTH100  starts faster
FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


def main() -> None:
    link = socket.socket(socket.AF_UNIX)
    link.connect(ADDRESS)
    ignored = [number for number in FORWARDED if signal.getsignal(number) is signal.SIG_IGN]
    for number in FORWARDED:
        if number not in ignored:
            signal.signal(number, lambda number, _: link.send(bytes([number])))
    asked = json.dumps(
        {"arguments": sys.argv[1:], "folder": os.getcwd(), "variables": dict(os.environ), "ignored": ignored}  # noqa: PTH109
    ).encode()
    files = array.array("i", [0, 1, 2])
    link.sendmsg([len(asked).to_bytes(4, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)])
    link.sendall(asked)
    ended = json.loads(link.recv(100))
    if ended < 0:
        signal.signal(-ended, signal.SIG_DFL)
        os.kill(os.getpid(), -ended)
    os._exit(ended)


main()
