"""Worker processes of one gateway: they are forked, replaced when they die, and stopped together."""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from types import FrameType

from connector.aio.signals import STOP_SIGNALS
from connector.cli.exit_codes import ExitCode
from connector.cli.output import say
from connector.errors import ConnectorError

__all__ = ["Workers"]

INTERVAL = 1.0
"""Seconds between two looks at what is to be saved."""
BROKEN = 70
"""The exit code of a worker that ended by an exception."""
WATCHED = (*STOP_SIGNALS, signal.SIGCHLD) if hasattr(signal, "SIGCHLD") else STOP_SIGNALS


class Workers:
    """Processes that do the same work; this one waits for them.

    Args:
        number: how many there are.
        work: is called in a worker with its number, from 1, and returns its exit code.
        is_ready: whether a worker has been able to begin.
        lost: is called with the number of a worker that died.
        tick: is called about once a second, and after the last worker has ended.
    """

    def __init__(
        self,
        number: int,
        work: Callable[[int], int],
        *,
        is_ready: Callable[[int], bool],
        lost: Callable[[int], None],
        tick: Callable[[], None],
    ) -> None:
        self._number = number
        self._work = work
        self._is_ready = is_ready
        self._lost = lost
        self._tick = tick
        self._workers: dict[int, int] = {}
        self._codes: list[int] = []
        self._is_stopping = False
        self._alive, self._own_end = os.pipe()

    def run(self) -> int:
        """Return the highest exit code, when all have ended after a signal."""
        with _woken() as wake:
            for worker in range(1, self._number + 1):
                self._start(worker)
            while self._workers:
                select.select([wake], [], [], INTERVAL)
                self._heed(wake)
                self._reap()
                self._tick()
        return max(self._codes, default=0)

    def _start(self, worker: int) -> None:
        # A signal for the new process waits until it is able to take it.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        try:
            process = os.fork()
            if not process:
                self._become(worker)
            self._workers[process] = worker
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)

    def _become(self, worker: int) -> None:
        """Do the work of a worker, and end with it."""
        code = BROKEN
        try:
            signal.set_wakeup_fd(-1)
            for number in WATCHED:
                signal.signal(number, signal.SIG_DFL)
            os.setpgid(0, 0)  # a terminal's Ctrl-C is for the one that started the workers
            os.close(self._own_end)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
            code = self._work(worker)
        except ConnectorError as error:
            say(str(error))
            code = ExitCode.INVALID
        except Exception as error:  # noqa: BLE001  the process ends here
            say(f"worker {worker} of {self._number}: {type(error).__name__}: {error}")
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    @property
    def alive(self) -> int:
        """A file descriptor that ends when the process that started the workers does."""
        return self._alive

    def _heed(self, wake: socket.socket) -> None:
        with suppress(BlockingIOError):
            for number in wake.recv(64):
                if number in STOP_SIGNALS:
                    self._stop()

    def _stop(self) -> None:
        self._is_stopping = True
        for process in self._workers:
            os.kill(process, signal.SIGTERM)

    def _reap(self) -> None:
        for process, worker in list(self._workers.items()):
            ended, status = os.waitpid(process, os.WNOHANG)
            if ended:
                del self._workers[process]
                self._note_end(worker, os.waitstatus_to_exitcode(status))

    def _note_end(self, worker: int, code: int) -> None:
        self._lost(worker)
        if self._is_stopping:
            self._codes.append(max(code, 0))
            return
        how = f"by signal {-code}" if code < 0 else f"with {code}"
        if self._is_ready(worker):
            say(f"worker {worker} of {self._number} ended {how}: another takes its place")
            self._start(worker)
            return
        say(f"worker {worker} of {self._number} ended {how} before it could begin")
        self._codes.append(max(code, 1))
        self._stop()


def _ignore(number: int, frame: FrameType | None) -> None:
    """Do nothing: the number arrives on the socket."""


@contextmanager
def _woken() -> Generator[socket.socket]:
    """A socket on which the numbers of signals arrive."""
    wake, told = socket.socketpair()
    for each in (wake, told):
        each.setblocking(False)
    before = {number: signal.signal(number, _ignore) for number in WATCHED}
    fd = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
    try:
        yield wake
    finally:
        signal.set_wakeup_fd(fd)
        for number, handler in before.items():
            signal.signal(number, handler)
        wake.close()
        told.close()
