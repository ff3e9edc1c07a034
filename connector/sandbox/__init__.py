"""A stand-in for the API on this machine, built from the catalogue: it validates, remembers and answers like it.

Where everything is, from the socket inwards:

- `sandbox`: the `Sandbox` that a user starts, and `in_thread` for code without an event loop.
- `http/`: the server, the way of a request through it, the request log, and the sandbox's own paths (`control`).
- `registry`: the handler of every operation that has one, and the timer handler of every kind of object.
- `generic/`: the handler of all other operations, which reads the catalogue.
- `models/`: what models answer: chat, responses, embeddings, moderations, images, videos, audio.
- `resources/`: what is stored and changes with time: files, batches, vector stores, jobs, threads, evals.
- `backend`: what all handlers share; it owns the objects, the ids, the timers and the webhooks.
- `script`, `faults`, `fault_plan`: scripted answers and injected faults.
- `answer_templates`, `object_store`, `ids`, `timers`, `scheduler`, `webhooks`, `messages`: the backend's parts.

A handler takes a `Request` and the `Backend`, and returns an `Answer` or raises `ApiError`.
"""

from __future__ import annotations

from connector.sandbox.sandbox import Sandbox, in_thread

__all__ = ["Sandbox", "in_thread"]
