"""What goes on with time: files arrive, batches run, jobs train, threads grow, webhooks are sent."""

from __future__ import annotations

from collections.abc import Mapping

from connector.sandbox.call import Handler
from connector.sandbox.processes import background_responses, chatkit, containers, conversations, models
from connector.sandbox.processes.batches import handlers as batches
from connector.sandbox.processes.evals import evals
from connector.sandbox.processes.evals import runs as eval_runs
from connector.sandbox.processes.files import handlers as files
from connector.sandbox.processes.files import uploads
from connector.sandbox.processes.graders import handlers as graders
from connector.sandbox.processes.kept import settled
from connector.sandbox.processes.processes import Processes
from connector.sandbox.processes.skills import handlers as skills
from connector.sandbox.processes.threads import assistants, messages, runs, threads
from connector.sandbox.processes.tuning import jobs, permissions
from connector.sandbox.processes.vectors import held, searching, stores
from connector.sandbox.processes.webhooks import endpoints

__all__ = ["HANDLERS", "Processes"]

ROOMS = (
    files, uploads, stores, held, searching, batches, jobs, permissions, graders, evals, eval_runs,
    background_responses, conversations, assistants, threads, messages, runs, containers, skills, chatkit, models,
    endpoints,
)  # fmt: skip
HANDLERS: Mapping[str, Handler] = {name: settled(handler) for room in ROOMS for name, handler in room.HANDLERS.items()}
"""By the operation's name on the wire; each sees a world in which all that is due has happened."""
