"""Celery with Redis: each document a message, acknowledged when it is done, one worker with a thread for each call."""

from __future__ import annotations

import threading
from typing import Any

import httpx
from celery import Celery

from bench.durable.worker import Watch
from bench.exchange import TEXT, TOKEN, payload

PACKAGES = ("celery", "redis", "httpx")


def deliver(base: str, place: str, tasks: int, in_flight: int, watch: Watch) -> int:
    app = Celery("bench", broker=place)
    app.conf.update(task_acks_late=True, task_ignore_result=True, worker_redirect_stdouts=False)
    calls = httpx.Client(headers={"authorization": f"Bearer {TOKEN}"}, limits=httpx.Limits(max_connections=in_flight))
    count = [0]
    one_at_a_time = threading.Lock()
    over = threading.Event()

    @app.task(name="ask")
    def ask(request: dict[str, Any]) -> None:
        answer = calls.post(f"{base}/chat/completions", json=request).raise_for_status()
        right = answer.json()["choices"][0]["message"]["content"] == TEXT
        with one_at_a_time:
            count[0] += right
            if count[0] == tasks:
                over.set()

    alone = {"without_gossip": True, "without_mingle": True}
    worker = app.Worker(pool="threads", concurrency=in_flight, loglevel="ERROR", **alone)
    threading.Thread(target=worker.start, daemon=True).start()
    with watch.running():
        for number in range(tasks):
            ask.delay(payload(number))
        over.wait(120)
    worker.stop()
    return count[0]
