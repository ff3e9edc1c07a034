"""The handlers of all operations, and of the timers of all kinds of objects."""

from __future__ import annotations

from collections.abc import Mapping

from connector.sandbox.backend import Backend, Handler, TimerHandler
from connector.sandbox.models import (
    completions,
    embeddings,
    images,
    moderations,
    realtime,
    speech,
    transcriptions,
    videos,
)
from connector.sandbox.models.chat import completions as chat
from connector.sandbox.models.responses import history
from connector.sandbox.models.responses import operations as responses
from connector.sandbox.resources import (
    background_responses,
    chatkit,
    containers,
    conversations,
    models,
    skills,
    webhook_endpoints,
)
from connector.sandbox.resources.batches import batches
from connector.sandbox.resources.crud import after_due_timers
from connector.sandbox.resources.evals import evals
from connector.sandbox.resources.evals import runs as eval_runs
from connector.sandbox.resources.files import files, storage, uploads
from connector.sandbox.resources.fine_tuning import jobs, training
from connector.sandbox.resources.graders import graders
from connector.sandbox.resources.threads import assistants, runs, threads, turn
from connector.sandbox.resources.vector_stores import files as store_files
from connector.sandbox.resources.vector_stores import index, search, stores
from connector.sandbox.timers import Timer

__all__ = ["HANDLERS", "MODEL_HANDLERS", "TIMER_HANDLERS"]


async def _finish_video(backend: Backend, timer: Timer) -> None:
    """Send the webhook of a finished video; its progress is computed when it is read."""
    if backend.objects.get(videos.VIDEOS, timer.id) is not None:
        backend.send_webhook("video.completed", {"id": timer.id})


MODEL_HANDLERS: Mapping[str, Handler] = {
    **chat.HANDLERS,
    **completions.HANDLERS,
    **embeddings.HANDLERS,
    **transcriptions.HANDLERS,
    **images.HANDLERS,
    **moderations.HANDLERS,
    **realtime.HANDLERS,
    **responses.HANDLERS,
    **speech.HANDLERS,
    **videos.HANDLERS,
}
RESOURCE_HANDLERS: Mapping[str, Handler] = {
    **files.HANDLERS,
    **uploads.HANDLERS,
    **stores.HANDLERS,
    **store_files.HANDLERS,
    **search.HANDLERS,
    **batches.HANDLERS,
    **jobs.HANDLERS,
    **graders.HANDLERS,
    **evals.HANDLERS,
    **eval_runs.HANDLERS,
    **background_responses.HANDLERS,
    **conversations.HANDLERS,
    **assistants.HANDLERS,
    **threads.HANDLERS,
    **runs.HANDLERS,
    **containers.HANDLERS,
    **skills.HANDLERS,
    **chatkit.HANDLERS,
    **models.HANDLERS,
    **webhook_endpoints.HANDLERS,
}
HANDLERS: Mapping[str, Handler] = {
    **MODEL_HANDLERS,
    **{name: after_due_timers(handler) for name, handler in RESOURCE_HANDLERS.items()},
}
"""By the operation's name on the wire; every other operation goes to the generic handler."""
TIMER_HANDLERS: Mapping[str, TimerHandler] = {
    history.RESPONSES: background_responses.advance_response,
    batches.BATCHES: batches.advance_batch,
    chatkit.SESSIONS: chatkit.expire_session,
    containers.CONTAINERS: containers.expire_container,
    eval_runs.RUNS: eval_runs.advance_run,
    training.JOBS: training.advance_job,
    turn.RUNS: runs.advance_run,
    storage.FILES: files.expire_file,
    uploads.UPLOADS: uploads.expire_upload,
    index.STORE_FILES: index.index_file,
    index.STORES: stores.expire_store,
    videos.VIDEOS: _finish_video,
}
"""By the kind of object."""
