"""What a tool comes to, as hosts take it: text, structure, images, sound; a large result cut, with a link to it all."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import TYPE_CHECKING

import orjson

from connector.engine import TaskState
from connector.hosts.evidence import show_evidence
from connector.model import JSON, Outcome, is_document, is_list, items, members

if TYPE_CHECKING:
    from connector.calls.host_calls import CallAnswer

__all__ = ["SCHEME", "Kept", "Renderer", "failure", "unknown"]

SCHEME = "openai-connector://"
"""The beginning of the addresses of resources."""
KEPT_BYTES = 64 * 1024 * 1024
"""Large results that are kept for those who follow their links; the oldest are forgotten first."""
BEGINNINGS = {
    b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif", b"ID3": "audio/mpeg",
    b"\xff\xfb": "audio/mpeg", b"\xff\xf3": "audio/mpeg", b"OggS": "audio/ogg", b"fLaC": "audio/flac",
}  # fmt: skip
RIFF = {b"WAVE": "audio/wav", b"WEBP": "image/webp"}
"""What a file that begins with RIFF is, by its next word but one."""
KEY_META = "openai-connector/task"
MOST_IMAGES = 8


@dataclass(frozen=True, slots=True)
class KeptResult:
    """A large result, for the one who asked for it."""

    owner: str
    data: bytes
    mime: str


@dataclass(slots=True)
class Kept:
    """Large results by their ids, bounded."""

    _results: OrderedDict[str, KeptResult] = field(default_factory=OrderedDict[str, KeptResult])
    _bytes: int = 0

    def keep(self, owner: str, data: bytes, mime: str) -> str:
        """Keep a result; return the address under which its owner reads it."""
        number = token_urlsafe(12)
        self._results[number] = KeptResult(owner, data, mime)
        self._bytes += len(data)
        while self._bytes > KEPT_BYTES and len(self._results) > 1:
            _, oldest = self._results.popitem(last=False)
            self._bytes -= len(oldest.data)
        return f"{SCHEME}results/{number}"

    def find(self, owner: str, number: str) -> KeptResult | None:
        """Return a result that is the owner's and still kept."""
        found = self._results.get(number)
        return found if found is not None and found.owner == owner else None


@dataclass(frozen=True, slots=True)
class Renderer:
    """Makes results of answers.

    Args:
        most: bytes of text that are shown.
        kept: where larger results go.
    """

    most: int
    kept: Kept

    def outcome(self, owner: str, outcome: Outcome) -> dict[str, JSON]:
        """Return the result of a call that was made at once."""
        if not outcome.ok:
            return failure(outcome.sentence(), outcome.as_document())
        body = outcome.body
        if isinstance(body, bytes):
            mime = outcome.headers.get("content-type", "application/octet-stream").partition(";")[0]
            return self._binary(owner, body, mime)
        return self.documents(owner, [body])

    def answer(self, owner: str, answer: CallAnswer) -> dict[str, JSON]:
        """Return the result of a call that was noted before it was made."""
        meta: dict[str, JSON] = {KEY_META: answer.task, "openai-connector/repeat": answer.is_repeat}
        if answer.state is TaskState.FINISHED:
            shown = self.documents(owner, answer.documents)
        elif answer.state is TaskState.UNKNOWN:
            shown = unknown(answer)
        elif answer.state is TaskState.SKIPPED:
            shown = failure(f"nothing was sent: {answer.reason}", {"state": "skipped", "reason": answer.reason})
        elif answer.state is TaskState.FAILED:
            shown = failure(f"failed: {answer.reason}", {"state": "failed", "reason": answer.reason})
        else:
            shown = _waiting(answer)
        return {**shown, "_meta": meta}

    def documents(self, owner: str, documents: Sequence[JSON]) -> dict[str, JSON]:
        """Return the result of a call that is done."""
        value: JSON = documents[0] if len(documents) == 1 else list(documents)
        content = members(value).get("$content")
        if isinstance(content, str) and len(members(value)) == 1:
            return self._encoded(owner, content)
        media: list[JSON] = []
        value = _take_images(value, media)
        text = value if isinstance(value, str) else orjson.dumps(value).decode()
        structured = value if is_document(value) else {"result": value}
        shown = self._text(owner, text, structured)
        return {**shown, "content": [*items(shown["content"]), *media]}

    def _text(self, owner: str, text: str, structured: JSON) -> dict[str, JSON]:
        data = text.encode()
        if len(data) <= self.most:
            return {"content": [_text_content(text)], "structuredContent": structured, "isError": False}
        mime = "application/json" if text[:1] in ("{", "[") else "text/plain"
        link = self.kept.keep(owner, data, mime)
        head = data[: self.most].decode(errors="ignore")
        note = f"cut here: {len(head.encode()):,} of {len(data):,} bytes are shown; all of it is the resource {link}"
        cut: dict[str, JSON] = {"truncated": True, "bytes": len(data), "shown": len(head.encode()), "resource": link}
        return {
            "content": [_text_content(head), _text_content(f"[{note}]"), _link(link, mime, len(data))],
            "structuredContent": cut,
            "isError": False,
        }

    def _binary(self, owner: str, data: bytes, mime: str) -> dict[str, JSON]:
        from base64 import b64encode

        return self._encoded(owner, b64encode(data).decode(), mime)

    def _encoded(self, owner: str, content: str, mime: str = "") -> dict[str, JSON]:
        from base64 import b64decode

        data = b64decode(content)
        mime = mime if mime not in ("", "application/octet-stream") else _sniff(data)
        about: dict[str, JSON] = {"bytes": len(data), "mimeType": mime}
        if mime.startswith(("image/", "audio/")) and len(content) <= max(self.most, 8 * 1024 * 1024):
            kind = mime.partition("/")[0]
            part: JSON = {"type": kind, "data": content, "mimeType": mime}
            return {"content": [part], "structuredContent": about, "isError": False}
        link = self.kept.keep(owner, data, mime)
        return {
            "content": [_text_content(f"{len(data):,} bytes of {mime}"), _link(link, mime, len(data))],
            "structuredContent": {**about, "resource": link},
            "isError": False,
        }


def failure(text: str, structured: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return the result of a call that did not do what was asked."""
    return {"content": [_text_content(text)], "structuredContent": dict(structured), "isError": True}


def unknown(answer: CallAnswer) -> dict[str, JSON]:
    """Return the result of a call that may have taken effect: with its evidence, and what to do."""
    evidence = show_evidence(answer.doubts)
    number = answer.task
    text = (
        f"unknown: the call may have taken effect, and may have been paid for. {answer.reason}\n"
        "Do not send it again as a new call. A repeat of it sends nothing, and tells this again. A person looks whether"
        f" it took effect, and settles task {number}: `openai-connector tasks done {number} --mcp` when it did,"
        f" `openai-connector tasks retry {number} --mcp` when it did not. Then call again. (Without mcp.engine, a call"
        " with a key of its own is sent.)"
    )
    if evidence:
        text += f"\nEvidence: {orjson.dumps(evidence).decode()}"
    structured: dict[str, JSON] = {
        "state": "unknown", "task": answer.task, "reason": answer.reason, "evidence": evidence,
    }  # fmt: skip
    return failure(text, structured)


def _waiting(answer: CallAnswer) -> dict[str, JSON]:
    reason = answer.reason or "it is under way elsewhere"
    text = f"not done yet: {reason}\nCall again with the same key to wait on; nothing is sent twice."
    return failure(text, {"state": str(answer.state), "task": answer.task, "reason": reason})


def _take_images(value: JSON, media: list[JSON]) -> JSON:
    """Return a value without images that stand in it as base64; those become content of their own."""
    if is_list(value):
        return [_take_images(one, media) for one in value]
    if not is_document(value):
        return value
    data = value.get("b64_json")
    if isinstance(data, str) and len(data) > 64 and len(media) < MOST_IMAGES:
        from base64 import b64decode

        media.append({"type": "image", "data": data, "mimeType": _sniff(b64decode(data[:64]))})
        value = {**value, "b64_json": f"(image {len(media)} of this result)"}
    return {name: _take_images(one, media) for name, one in value.items()}


def _sniff(data: bytes) -> str:
    """Return what a content is by how it begins."""
    if data.startswith(b"RIFF"):
        return RIFF.get(data[8:12], "application/octet-stream")
    found = (mime for beginning, mime in BEGINNINGS.items() if data.startswith(beginning))
    return next(found, "application/octet-stream")


def _text_content(text: str) -> dict[str, JSON]:
    return {"type": "text", "text": text}


def _link(uri: str, mime: str, size: int) -> dict[str, JSON]:
    return {"type": "resource_link", "uri": uri, "name": uri.rsplit("/", 1)[-1], "mimeType": mime, "size": size}
