"""What the ids of an entity begin with."""

from __future__ import annotations

__all__ = ["prefix_of", "singular"]

KNOWN = {
    "files": "file-", "uploads": "upload_", "upload parts": "part_", "batches": "batch_", "vector stores": "vs_",
    "vector store files": "file-", "vector store file batches": "vsfb_", "assistants": "asst_", "threads": "thread_",
    "messages": "msg_", "runs": "run_", "run steps": "step_", "responses": "resp_", "conversations": "conv_",
    "conversation items": "msg_", "chat completions": "chatcmpl-", "completions": "cmpl-", "videos": "video_",
    "fine-tuning jobs": "ftjob-", "fine-tuning job events": "ftevent-", "fine-tuning job checkpoints": "ftckpt_",
    "evals": "eval_", "eval runs": "evalrun_", "eval run output items": "outputitem_", "containers": "cntr_",
    "container files": "cfile_", "projects": "proj_", "users": "user-", "invites": "invite-",
    "certificates": "cert_", "admin API keys": "key_", "groups": "group_", "roles": "role_",
}  # fmt: skip


def prefix_of(entity: str) -> str:
    """The prefix of an entity's ids: its known one, else its last word."""
    return KNOWN.get(entity) or f"{singular(entity.rsplit(maxsplit=1)[-1] if entity else 'object')}_"


def singular(word: str) -> str:
    """One of what a word names."""
    for ending, end in (("ies", "y"), ("ches", "ch"), ("ses", "s"), ("s", "")):
        if word.endswith(ending):
            return word.removesuffix(ending) + end
    return word
