"""A stand-in for the orchestration cluster: the part of its REST API that workers use, with jobs that time out."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

__all__ = ["Cluster", "StoredJob"]


@dataclass(slots=True)
class StoredJob:
    """A job as the cluster keeps it, and what it was told of it."""

    key: str
    type: str
    headers: dict[str, str]
    variables: dict[str, Any]
    retries: int = 3
    state: str = "created"
    activations: int = 0
    locked_until: float = 0.0
    told: list[tuple[str, dict[str, Any]]] = field(default_factory=list[tuple[str, dict[str, Any]]])

    def as_document(self, worker: str, variables: list[str]) -> dict[str, Any]:
        kept = {name: value for name, value in self.variables.items() if not variables or name in variables}
        return {
            "type": self.type, "processDefinitionId": "story", "processDefinitionVersion": 1, "elementId": "task",
            "customHeaders": self.headers, "worker": worker, "retries": self.retries,
            "deadline": int(self.locked_until * 1000), "variables": kept, "tenantId": "<default>",
            "physicalTenantId": "default", "jobKey": self.key,
            "processInstanceKey": "2251799813685249", "processDefinitionKey": "2251799813685250",
            "elementInstanceKey": "2251799813685251", "kind": "BPMN_ELEMENT", "listenerEventType": "UNSPECIFIED",
            "userTask": None, "tags": [], "rootProcessInstanceKey": None, "businessId": None, "priority": 0,
            "jobLeaseToken": None,
        }  # fmt: skip


class Cluster:
    """The cluster; it goes away and comes back with `close` and `open`, and keeps its jobs.

    Args:
        authorize: looks at the headers of each request; whether it may be made.
    """

    def __init__(self, authorize: Callable[[Any], bool] = lambda _: True) -> None:
        self.jobs: dict[str, StoredJob] = {}
        self.requests: list[tuple[str, str, dict[str, Any]]] = []
        self.lost = 0
        """How many of the next reports are heard, and not answered."""
        self.grants: list[dict[str, str]] = []
        """What access tokens were asked for with."""
        self.polls = 0
        """Requests for jobs that wait for one now."""
        self.changed = threading.Condition()
        self._authorize = authorize
        self._server: ThreadingHTTPServer | None = None
        self._port = 0
        self.open()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def open(self) -> None:
        cluster = self

        class Handler(_Handler):
            owner = cluster

        ThreadingHTTPServer.allow_reuse_address = True
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = True
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def is_open(self) -> bool:
        return self._server is not None

    def add(self, headers: dict[str, str], request: Any, *, retries: int = 3, **variables: Any) -> StoredJob:
        """A job of an element that was made from a template."""
        with self.changed:
            key = str(2251799813690000 + len(self.jobs))
            given = {"openai_request": request, **variables}
            job = self.jobs[key] = StoredJob(key, "openai-connector:1", headers, given, retries)
            self.changed.notify_all()
        return job

    def wait(self, until: Callable[[], bool], seconds: float = 20.0) -> None:
        """Waits until something is so; the jobs are in the message when it never is."""
        end = time.monotonic() + seconds
        with self.changed:
            while not until():
                left = end - time.monotonic()
                assert left > 0, [(job.state, job.activations, job.told) for job in self.jobs.values()]
                self.changed.wait(min(left, 0.2))

    def authorize(self, headers: Any) -> bool:
        return self._authorize(headers)

    def activate(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        end = time.monotonic() + max(asked.get("requestTimeout", 0), 0) / 1000
        with self.changed:
            self.polls += 1
            while True:
                now = time.monotonic()
                free = [
                    job for job in self.jobs.values()
                    if job.type == asked["type"] and job.state == "created" and job.locked_until <= now and job.retries
                ]  # fmt: skip
                if free or now >= end or not self.is_open:
                    break
                self.changed.wait(min(end - now, 0.05))
            for job in free[: asked["maxJobsToActivate"]]:
                job.locked_until = time.monotonic() + asked["timeout"] / 1000
                job.activations += 1
            taken = free[: asked["maxJobsToActivate"]]
            self.polls -= 1
            self.changed.notify_all()
        return [job.as_document(asked["worker"], asked.get("fetchVariable", [])) for job in taken]

    def report(self, key: str, what: str, body: dict[str, Any]) -> tuple[int, bool]:
        """The status of a report, and whether it is answered at all."""
        with self.changed:
            job = self.jobs.get(key)
            if job is None or job.state != "created":
                return 404, True
            if what == "update":
                job.locked_until = time.monotonic() + body["changeset"]["timeout"] / 1000
                return 204, True
            job.told.append((what, body))
            job.variables |= body.get("variables") or {}
            if what == "failure":
                job.retries = body["retries"]
                job.locked_until = time.monotonic() + body.get("retryBackOff", 0) / 1000
                job.state = "created" if job.retries else "incident"
            else:
                job.state = {"completion": "completed", "error": "error"}[what]
            self.lost, is_answered = max(self.lost - 1, 0), not self.lost
            self.changed.notify_all()
        return 204, is_answered

    def resolve(self, job: StoredJob, retries: int = 1, **variables: Any) -> None:
        """A person resolves an incident, with variables as they should have been."""
        with self.changed:
            job.variables |= variables
            job.retries, job.state, job.locked_until = retries, "created", 0.0
            self.changed.notify_all()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: Cluster

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/oauth/token":
            self.owner.grants.append(dict(parse_qsl(data.decode())))
            token = f"granted-{len(self.owner.grants)}"
            self._answer(200, {"access_token": token, "expires_in": 300, "token_type": "Bearer"})
            return
        body = json.loads(data or b"{}")
        self.owner.requests.append((self.command, self.path, body))
        if not self.owner.authorize(self.headers):
            self._answer(401, {"title": "UNAUTHORIZED", "status": 401, "detail": "no valid credentials"})
        elif self.path == "/v2/jobs/activation":
            self._answer(200, {"jobs": self.owner.activate(body)})
        elif found := re.fullmatch(r"/v2/jobs/(\d+)(?:/(completion|failure|error))?", self.path):
            status, is_answered = self.owner.report(found[1], found[2] or "update", body)
            if not is_answered:
                self.close_connection = True
                self.connection.close()
            elif status == 204:
                self._answer(204, None)
            else:
                self._answer(status, {"title": "NOT_FOUND", "status": status, "detail": f"no job {found[1]}"})
        else:
            self._answer(404, {"title": "NOT_FOUND", "status": 404, "detail": self.path})

    do_PATCH = do_POST  # noqa: N815  the name that the server calls

    def _answer(self, status: int, body: Any) -> None:
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        if body is not None:
            self.send_header("Content-Type", "application/json" if status < 400 else "application/problem+json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def handle(self) -> None:
        with suppress(ConnectionError):  # of a worker that is gone
            super().handle()

    def log_message(self, *_: Any) -> None:
        """Nothing is said of single requests."""
