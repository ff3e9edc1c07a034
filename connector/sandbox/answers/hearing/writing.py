"""What was heard, written down in the form that was asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

from connector.model import JSON
from connector.sandbox.answers.hearing.heard import Heard, heard_in
from connector.sandbox.answers.hearing.subtitles import srt, vtt
from connector.sandbox.answers.logprobs import likelihood
from connector.sandbox.answers.reply import Reply
from connector.sandbox.answers.tokens import count, pieces
from connector.sandbox.call import Answer, Call, Event, Refused, World

__all__ = ["transcribe", "translate"]

TEXTS: Mapping[str, Callable[[Heard], str]] = {"text": lambda heard: f"{heard.text}\n", "srt": srt, "vtt": vtt}
TOKENS_A_SECOND = 10
LANGUAGE = "english"
BY_DURATION = "whisper"
"""Models of that name are paid by the second, and know no streams."""


def transcribe(call: Call, _: World, scripted: Reply | None) -> Answer:
    """What was said, in the language it was said in."""
    payload: Mapping[str, JSON] = call.payload
    heard = heard_in(payload["file"], None if scripted is None else scripted.text)
    form = str(payload.get("response_format") or "json")
    by_duration = payload["model"].startswith(BY_DURATION)
    if payload.get("stream") and not by_duration:
        events = _events(heard, payload, with_segments=form == "diarized_json")
        return Answer(body={"usage": _by_tokens(heard)}, events=events)
    if form in TEXTS:
        return _text(TEXTS[form](heard))
    if form == "verbose_json":
        return Answer(body=_verbose(heard, payload))
    usage = _by_duration(heard) if by_duration else _by_tokens(heard)
    if form == "diarized_json":
        return Answer(body=_diarized(heard, usage, payload))
    logprobs = {"logprobs": _logprobs(heard.text)} if "logprobs" in (payload.get("include") or ()) else {}
    return Answer(body={"text": heard.text, **logprobs, "usage": usage})


def translate(call: Call, _: World, scripted: Reply | None) -> Answer:
    """What was said, in English; here it always was."""
    heard = heard_in(call.payload["file"], None if scripted is None else scripted.text)
    form = str(call.payload.get("response_format") or "json")
    if form in TEXTS:
        return _text(TEXTS[form](heard))
    if form == "verbose_json":
        verbose = _verbose(heard, {"language": LANGUAGE})
        return Answer(body={name: verbose[name] for name in ("language", "duration", "text", "segments")})
    if form != "json":
        message = f"Invalid value: '{form}'. Supported values are: 'json', 'text', 'srt', 'verbose_json', and 'vtt'."
        raise Refused(400, message, param="response_format")
    return Answer(body={"text": heard.text})


def _text(text: str) -> Answer:
    return Answer(data=text.encode(), content_type="text/plain; charset=utf-8")


def _verbose(heard: Heard, payload: Mapping[str, JSON]) -> dict[str, JSON]:
    wanted = payload.get("timestamp_granularities") or ["segment"]
    said: dict[str, JSON] = {"task": "transcribe", "language": payload.get("language") or LANGUAGE}
    said |= {"duration": heard.seconds, "text": heard.text}
    if "segment" in wanted:
        said["segments"] = [_segment(number, heard) for number in range(len(heard.segments))]
    if "word" in wanted:
        said["words"] = [{"word": one.text, "start": one.start, "end": one.end} for one in heard.words]
    return {**said, "usage": _by_duration(heard)}


def _segment(number: int, heard: Heard) -> dict[str, JSON]:
    segment = heard.segments[number]
    sure = {"temperature": 0.0, "avg_logprob": -0.2, "compression_ratio": 1.0, "no_speech_prob": 0.01}
    tokens = list(range(50364, 50364 + count(segment.text)))
    place = {"id": number, "seek": 0, "start": segment.start, "end": segment.end}
    return {**place, "text": segment.text, "tokens": tokens, **sure}


def _diarized(heard: Heard, usage: JSON, payload: Mapping[str, JSON]) -> dict[str, JSON]:
    segments = list(_spoken_segments(heard, payload))
    return {"task": "transcribe", "duration": heard.seconds, "text": heard.text, "segments": segments, "usage": usage}


def _spoken_segments(heard: Heard, payload: Mapping[str, JSON]) -> Iterator[dict[str, JSON]]:
    """The sentences, said in turn by those who are known, else by two people."""
    speakers = payload.get("known_speaker_names") or ["A", "B"]
    for number, one in enumerate(heard.segments):
        place = {"type": "transcript.text.segment", "id": f"seg_{number}", "start": one.start, "end": one.end}
        yield {**place, "text": one.text, "speaker": speakers[number % len(speakers)]}


def _events(heard: Heard, payload: Mapping[str, JSON], *, with_segments: bool) -> Iterator[Event]:
    with_logprobs = "logprobs" in (payload.get("include") or ())
    if with_segments:
        for segment in _spoken_segments(heard, payload):
            yield Event(segment, "transcript.text.segment")
    for index, piece in enumerate(pieces(heard.text)):
        logprobs = {"logprobs": [_logprob(piece, index)]} if with_logprobs else {}
        yield Event({"type": "transcript.text.delta", "delta": piece, **logprobs}, "transcript.text.delta")
    logprobs = {"logprobs": _logprobs(heard.text)} if with_logprobs else {}
    done = {"type": "transcript.text.done", "text": heard.text, **logprobs, "usage": _by_tokens(heard)}
    yield Event(done, "transcript.text.done")


def _logprobs(text: str) -> list[dict[str, JSON]]:
    return [_logprob(piece, index) for index, piece in enumerate(pieces(text))]


def _logprob(piece: str, index: int) -> dict[str, JSON]:
    return {"token": piece, "logprob": likelihood(piece, index), "bytes": list(piece.encode())}


def _by_duration(heard: Heard) -> dict[str, JSON]:
    return {"type": "duration", "seconds": math.ceil(heard.seconds)}


def _by_tokens(heard: Heard) -> dict[str, JSON]:
    sound, said = max(1, round(heard.seconds * TOKENS_A_SECOND)), count(heard.text)
    details = {"text_tokens": 0, "audio_tokens": sound}
    total = {"input_tokens": sound, "output_tokens": said, "total_tokens": sound + said}
    return {"type": "tokens", **total, "input_token_details": details}
