"""The operations of the API, a module a topic; each has a `router`."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["TAGS", "TOPICS"]

TOPICS = (
    "audit",
    "chains",
    "config",
    "documents",
    "events",
    "examples",
    "forms",
    "gateway",
    "models",
    "money",
    "forecast",
    "operations",
    "overview",
    "playground",
    "publish",
    "routes",
    "sandbox",
    "session",
    "tasks",
    "unknown",
)
"""The modules below this package, each with a router; a new topic is a new line."""
TAGS: Mapping[str, str] = {
    "audit": "Who did what.",
    "config": "The configuration: read, checked, edited and saved as its files are written, comments included.",
    "documents": "Other processes put documents on routes or publish them, and wait for the end or follow.",
    "events": "What changes, as it changes.",
    "examples": "A first look at tasks that flow, without a key and without a configuration.",
    "forms": "The forms of other platforms, filled in and turned into our configuration.",
    "gateway": "Callers, limits, spending, latency, refusals.",
    "models": "Models: life cycles, prices, and what the account has.",
    "money": "What calls cost, by route, model, token and day.",
    "operations": "The catalogue: browse, explain, send once.",
    "overview": "Everything at a glance.",
    "playground": "A chain on sample documents, step by step.",
    "routes": "How routes do; pause, resume and read them.",
    "sandbox": "What arrived at the sandbox, and the faults that it injects.",
    "session": "Who is signed in, and to what.",
    "tasks": "Any list of tasks, everything about one, and what people do to them.",
    "unknown": "Tasks whose calls may have taken effect, and the verdicts on them.",
}
"""What the operations of a topic are about, for the document of the API."""
