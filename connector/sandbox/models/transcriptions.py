"""Transcriptions and translations of audio files, in every format that the API writes."""

from __future__ import annotations

import io
import math
import re
import wave
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from connector.model import JSON, members
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.messages import Answer, ApiError, Event, Reply, Request, Upload
from connector.sandbox.models.media.sounds import estimate_seconds
from connector.sandbox.models.script_handlers import with_scripted_reply
from connector.sandbox.models.tokens import count_tokens, estimate_logprob, split_tokens

__all__ = ["HANDLERS"]

SENTENCE = re.compile(r"\S.*?(?:[.!?](?=\s)|$)", re.DOTALL)
LONGEST_TEXT = 100_000
"""The limit of bytes of a file that is read as text."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a transcript with its times in seconds."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Transcript:
    """The text of a sound, and how long it takes."""

    text: str
    seconds: float

    @property
    def segments(self) -> Sequence[Segment]:
        """The sentences, each as long as its share of the characters."""
        return self._divide(SENTENCE.findall(self.text))

    @property
    def words(self) -> Sequence[Segment]:
        """The words, timed in the same way."""
        return self._divide(self.text.split())

    def _divide(self, texts: Sequence[str]) -> Sequence[Segment]:
        whole, done, found = sum(map(len, texts)) or 1, 0, list[Segment]()
        for text in texts:
            start, done = done, done + len(text)
            found.append(Segment(text, self._time_at(start / whole), self._time_at(done / whole)))
        return found

    def _time_at(self, share: float) -> float:
        return round(self.seconds * share, 2)


def transcribe_file(file: Upload, scripted: str | None = None) -> Transcript:
    """Return the transcript of a file: the script's text, the file's own text, or its name."""
    text = scripted if scripted is not None else _decode_text(file.data) or _describe_file(file.filename)
    return Transcript(text, _wav_seconds(file.data) or round(estimate_seconds(text), 2))


def _decode_text(data: bytes) -> str:
    if len(data) > LONGEST_TEXT:
        return ""
    try:
        text = data.decode().strip()
    except UnicodeDecodeError:
        return ""
    return text if text.replace("\n", " ").isprintable() else ""


def _describe_file(filename: str) -> str:
    words = " ".join(re.findall(r"[^\W_]+", PurePath(filename).stem)) or "a sound"
    return f"This is what was heard in {words}."


def _wav_seconds(data: bytes) -> float:
    """Return the length of a WAV file."""
    try:
        with wave.open(io.BytesIO(data)) as file:
            return float(round(file.getnframes() / file.getframerate(), 2))
    except (wave.Error, EOFError, ZeroDivisionError):
        return 0.0


def format_srt(transcript: Transcript) -> str:
    """Return numbered subtitles with a comma before the milliseconds."""
    times = (
        (f"{_format_time(one.start)} --> {_format_time(one.end)}".replace(".", ","), one.text)
        for one in transcript.segments
    )
    return "".join(f"{number}\n{time}\n{text}\n\n" for number, (time, text) in enumerate(times, 1))


def format_vtt(transcript: Transcript) -> str:
    """Return subtitles in WebVTT."""
    parts = (f"{_format_time(one.start)} --> {_format_time(one.end)}\n{one.text}\n\n" for one in transcript.segments)
    return "WEBVTT\n\n" + "".join(parts)


def _format_time(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours:02}:{minutes:02}:{rest:06.3f}"


TEXT_FORMATS: Mapping[str, Callable[[Transcript], str]] = {
    "text": lambda transcript: f"{transcript.text}\n",
    "srt": format_srt,
    "vtt": format_vtt,
}
TOKENS_A_SECOND = 10
DEFAULT_LANGUAGE = "english"
NO_STREAM = "whisper"
"""Models of this name do not stream."""


def create_transcription(request: Request, backend: Backend, scripted: Reply | None) -> Answer:
    """Return the transcript in the format that was asked for."""
    payload: Mapping[str, JSON] = request.payload
    transcript = transcribe_file(payload["file"], None if scripted is None else scripted.text)
    form = str(payload.get("response_format") or "json")
    usage = _read_usage(transcript, payload["model"], backend)
    if payload.get("stream") and not payload["model"].startswith(NO_STREAM):
        events = _stream_events(transcript, payload, usage, with_segments=form == "diarized_json")
        return Answer(body={"usage": usage}, events=events)
    if form in TEXT_FORMATS:
        return _text_answer(TEXT_FORMATS[form](transcript), usage)
    if form == "verbose_json":
        return Answer(body=_build_verbose(transcript, payload), used=usage)
    if form == "diarized_json":
        return Answer(body=_build_diarized(transcript, usage, payload))
    logprobs = {"logprobs": _build_logprobs(transcript.text)} if "logprobs" in (payload.get("include") or ()) else {}
    return Answer(body={"text": transcript.text, **logprobs, "usage": usage})


def create_translation(request: Request, backend: Backend, scripted: Reply | None) -> Answer:
    """Return the transcript in English, which it always is here."""
    transcript = transcribe_file(request.payload["file"], None if scripted is None else scripted.text)
    form = str(request.payload.get("response_format") or "json")
    usage = _read_usage(transcript, request.payload["model"], backend)
    if form in TEXT_FORMATS:
        return _text_answer(TEXT_FORMATS[form](transcript), usage)
    if form == "verbose_json":
        verbose = _build_verbose(transcript, {"language": DEFAULT_LANGUAGE})
        shown = {name: verbose[name] for name in ("language", "duration", "text", "segments")}
        return Answer(body=shown, used=usage)
    if form != "json":
        message = f"Invalid value: '{form}'. Supported values are: 'json', 'text', 'srt', 'verbose_json', and 'vtt'."
        raise ApiError(400, message, param="response_format")
    return Answer(body={"text": transcript.text}, used=usage)


def _read_usage(transcript: Transcript, model: str, backend: Backend) -> dict[str, JSON]:
    """Return the usage: the length of what was heard where the model is paid by it, else tokens."""
    prices = [members(each) for each in backend.tariff.find(model).get("prices") or ()]
    is_by_length = any("audio_hours" in each for each in prices)
    return _duration_usage(transcript) if is_by_length else _token_usage(transcript)


def _text_answer(text: str, usage: JSON) -> Answer:
    return Answer(data=text.encode(), content_type="text/plain; charset=utf-8", used=usage)


def _build_verbose(transcript: Transcript, payload: Mapping[str, JSON]) -> dict[str, JSON]:
    wanted = payload.get("timestamp_granularities") or ["segment"]
    verbose: dict[str, JSON] = {"task": "transcribe", "language": payload.get("language") or DEFAULT_LANGUAGE}
    verbose |= {"duration": transcript.seconds, "text": transcript.text}
    if "segment" in wanted:
        verbose["segments"] = [_build_segment(number, transcript) for number in range(len(transcript.segments))]
    if "word" in wanted:
        verbose["words"] = [{"word": one.text, "start": one.start, "end": one.end} for one in transcript.words]
    return {**verbose, "usage": _duration_usage(transcript)}


def _build_segment(number: int, transcript: Transcript) -> dict[str, JSON]:
    segment = transcript.segments[number]
    sure = {"temperature": 0.0, "avg_logprob": -0.2, "compression_ratio": 1.0, "no_speech_prob": 0.01}
    tokens = list(range(50364, 50364 + count_tokens(segment.text)))
    place = {"id": number, "seek": 0, "start": segment.start, "end": segment.end}
    return {**place, "text": segment.text, "tokens": tokens, **sure}


def _build_diarized(transcript: Transcript, usage: JSON, payload: Mapping[str, JSON]) -> dict[str, JSON]:
    segments = list(_iterate_speakers(transcript, payload))
    return {
        "task": "transcribe",
        "duration": transcript.seconds,
        "text": transcript.text,
        "segments": segments,
        "usage": usage,
    }


def _iterate_speakers(transcript: Transcript, payload: Mapping[str, JSON]) -> Iterator[dict[str, JSON]]:
    """Yield the sentences, spoken in turn by the known speakers, else by two."""
    speakers = payload.get("known_speaker_names") or ["A", "B"]
    for number, one in enumerate(transcript.segments):
        place = {"type": "transcript.text.segment", "id": f"seg_{number}", "start": one.start, "end": one.end}
        yield {**place, "text": one.text, "speaker": speakers[number % len(speakers)]}


def _stream_events(
    transcript: Transcript, payload: Mapping[str, JSON], usage: JSON, *, with_segments: bool
) -> Iterator[Event]:
    with_logprobs = "logprobs" in (payload.get("include") or ())
    if with_segments:
        for segment in _iterate_speakers(transcript, payload):
            yield Event(segment, "transcript.text.segment")
    for index, piece in enumerate(split_tokens(transcript.text)):
        logprobs = {"logprobs": [_build_logprob(piece, index)]} if with_logprobs else {}
        yield Event({"type": "transcript.text.delta", "delta": piece, **logprobs}, "transcript.text.delta")
    logprobs = {"logprobs": _build_logprobs(transcript.text)} if with_logprobs else {}
    done = {"type": "transcript.text.done", "text": transcript.text, **logprobs, "usage": usage}
    yield Event(done, "transcript.text.done")


def _build_logprobs(text: str) -> list[dict[str, JSON]]:
    return [_build_logprob(piece, index) for index, piece in enumerate(split_tokens(text))]


def _build_logprob(piece: str, index: int) -> dict[str, JSON]:
    return {"token": piece, "logprob": estimate_logprob(piece, index), "bytes": list(piece.encode())}


def _duration_usage(transcript: Transcript) -> dict[str, JSON]:
    return {"type": "duration", "seconds": math.ceil(transcript.seconds)}


def _token_usage(transcript: Transcript) -> dict[str, JSON]:
    audio_tokens, verbose = max(1, round(transcript.seconds * TOKENS_A_SECOND)), count_tokens(transcript.text)
    details = {"text_tokens": 0, "audio_tokens": audio_tokens}
    total = {"input_tokens": audio_tokens, "output_tokens": verbose, "total_tokens": audio_tokens + verbose}
    return {"type": "tokens", **total, "input_token_details": details}


HANDLERS: Mapping[str, Handler] = {
    "POST /audio/transcriptions": with_scripted_reply(create_transcription),
    "POST /audio/translations": with_scripted_reply(create_translation),
}
