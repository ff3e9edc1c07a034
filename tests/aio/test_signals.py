"""The first signal is handled gently, the next ones otherwise, and none when it is over."""

from __future__ import annotations

import asyncio
import os
import signal
import threading

import pytest

from connector.aio.signals import handle_signals


async def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)
    for _ in range(5):
        await asyncio.sleep(0.001)


async def test_the_first_and_the_later_signals_have_handlers_of_their_own() -> None:
    seen: list[str] = []
    with handle_signals(lambda number: seen.append(f"first {number.name}"), lambda number: seen.append(number.name)):
        await send(signal.SIGTERM)
        await send(signal.SIGINT)
        await send(signal.SIGTERM)
    assert seen == ["first SIGTERM", "SIGINT", "SIGTERM"]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


async def test_without_a_second_handler_the_next_signal_is_left_to_python() -> None:
    seen: list[signal.Signals] = []
    with handle_signals(seen.append, None, (signal.SIGINT,)):
        await send(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert seen == [signal.SIGINT]


async def test_a_second_signal_can_cancel_what_the_first_one_lets_end() -> None:
    task = asyncio.current_task()
    assert task is not None
    stopping = asyncio.Event()
    with handle_signals(lambda _: stopping.set(), lambda _: task.cancel(), (signal.SIGTERM,)):
        await send(signal.SIGTERM)
        assert stopping.is_set()
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(asyncio.CancelledError):
            await asyncio.sleep(60)


async def test_a_loop_without_signal_handlers_is_told_by_pythons(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()

    def missing(*_: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(loop, "add_signal_handler", missing)
    monkeypatch.setattr(loop, "remove_signal_handler", missing)
    seen: list[signal.Signals] = []
    with handle_signals(seen.append, seen.append, (signal.SIGTERM,)):
        await send(signal.SIGTERM)
    assert seen == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_outside_the_main_thread_nothing_is_handled() -> None:
    done: list[bool] = []

    async def work() -> None:
        with handle_signals(lambda _: None, None):
            done.append(True)

    thread = threading.Thread(target=asyncio.run, args=(work(),))
    thread.start()
    thread.join(10)
    assert done == [True]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
