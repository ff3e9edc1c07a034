"""Speech and what is heard: valid files, every form of a transcript."""

from __future__ import annotations

import base64
import io
import wave

import pytest

from connector.sandbox.messages import ApiError, Upload
from connector.sandbox.models.media.sounds import synthesize

TEXT = "The first sentence. The second one!"
SPEECH = {"model": "gpt-4o-mini-tts", "voice": "alloy", "input": TEXT}
HEADS = {"mp3": b"\xff\xfb", "opus": b"OggS", "aac": b"\xff\xf1", "flac": b"fLaC", "wav": b"RIFF"}


def said(filename="call.mp3", data=b"\xff\xfb\x14\xc4", model="gpt-4o-transcribe", **fields):
    return {"model": model, "file": Upload(filename, "audio/mpeg", data), **fields}


@pytest.mark.parametrize("form", HEADS)
def test_a_sound_has_its_format(room, form):
    answer = room.ask("/audio/speech", {**SPEECH, "response_format": form})
    assert answer.data.startswith(HEADS[form])
    assert answer.content_type.startswith("audio/")


def test_a_sound_is_as_long_as_its_text(room):
    answer = room.ask("/audio/speech", {**SPEECH, "response_format": "wav"})
    with wave.open(io.BytesIO(answer.data)) as file:
        assert file.getnframes() / file.getframerate() == pytest.approx(len(TEXT) / 15, abs=0.01)
    faster = room.ask("/audio/speech", {**SPEECH, "response_format": "pcm", "speed": 2})
    assert len(faster.data) / 48_000 == pytest.approx(len(TEXT) / 30, abs=0.01)


def test_frames_follow_one_another_to_the_end():
    mp3 = synthesize(TEXT, "mp3")[0]
    assert len(mp3) % 96 == 0
    assert {mp3[place : place + 4] for place in range(0, len(mp3), 96)} == {b"\xff\xfb\x14\xc4"}
    aac = synthesize(TEXT, "aac")[0]
    size = (aac[3] & 3) << 11 | aac[4] << 3 | aac[5] >> 5
    assert {aac[place : place + 2] for place in range(0, len(aac), size)} == {b"\xff\xf1"}
    opus = synthesize(TEXT * 20, "opus")[0]
    assert opus.count(b"OggS") == 2 + 2
    assert opus[28:36] == b"OpusHead"


def test_speech_in_a_stream_is_the_same_sound(room):
    events = room.stream("/audio/speech", {**SPEECH, "stream_format": "sse"})
    sound = b"".join(base64.b64decode(event.data["audio"]) for event in events[:-1])
    assert sound == room.ask("/audio/speech", SPEECH).data
    assert events[-1].name == "speech.audio.done"
    usage = events[-1].data["usage"]
    assert usage["input_tokens"] + usage["output_tokens"] == usage["total_tokens"]


def test_a_file_of_text_is_read_aloud_and_others_are_named(room):
    assert room.post("/audio/transcriptions", said(data=TEXT.encode()))["text"] == TEXT
    assert "my call" in room.post("/audio/transcriptions", said("my_call.mp3"))["text"]
    assert room.post("/audio/translations", said(data=TEXT.encode(), model="whisper-1"))["text"] == TEXT


def test_usage_is_of_tokens_or_of_seconds(room):
    tokens = room.post("/audio/transcriptions", said())["usage"]
    assert tokens["input_tokens"] + tokens["output_tokens"] == tokens["total_tokens"]
    sound = synthesize("x" * 45, "wav")[0]
    assert room.post("/audio/transcriptions", said(data=sound, model="whisper-1"))["usage"] == {
        "type": "duration",
        "seconds": 3,
    }


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("text", f"{TEXT}\n"),
        (
            "srt",
            "1\n00:00:00,000 --> 00:00:01,300\nThe first sentence.\n\n"
            "2\n00:00:01,300 --> 00:00:02,330\nThe second one!\n\n",
        ),
        (
            "vtt",
            "WEBVTT\n\n00:00:00.000 --> 00:00:01.300\nThe first sentence.\n\n"
            "00:00:01.300 --> 00:00:02.330\nThe second one!\n\n",
        ),
    ],
)
@pytest.mark.parametrize("path", ["/audio/transcriptions", "/audio/translations"])
def test_plain_texts(room, form, text, path):
    answer = room.ask(path, said(data=TEXT.encode(), model="whisper-1", response_format=form))
    assert answer.data.decode() == text
    assert answer.content_type.startswith("text/plain")


def test_the_long_form_has_segments_and_words(room):
    granularities = ["segment", "word"]
    body = room.post(
        "/audio/transcriptions",
        said(
            data=TEXT.encode(), model="whisper-1", response_format="verbose_json", timestamp_granularities=granularities
        ),
    )
    assert [one["text"] for one in body["segments"]] == ["The first sentence.", "The second one!"]
    assert " ".join(one["word"] for one in body["words"]) == TEXT
    assert body["segments"][-1]["end"] == body["words"][-1]["end"] == body["duration"]
    assert "words" not in room.post("/audio/transcriptions", said(model="whisper-1", response_format="verbose_json"))
    translated = room.post("/audio/translations", said(model="whisper-1", response_format="verbose_json"))
    assert translated["segments"]


def test_speakers_take_turns(room):
    payload = said(
        data=TEXT.encode(),
        model="gpt-4o-transcribe-diarize",
        response_format="diarized_json",
        known_speaker_names=["Ada", "Bo"],
    )
    assert [one["speaker"] for one in room.post("/audio/transcriptions", payload)["segments"]] == ["Ada", "Bo"]
    events = room.stream("/audio/transcriptions", {**payload, "stream": True})
    assert [event.name for event in events[:2]] == ["transcript.text.segment"] * 2


def test_a_transcript_in_a_stream_says_the_same(room):
    events = room.stream("/audio/transcriptions", said(data=TEXT.encode(), stream=True, include=["logprobs"]))
    assert "".join(event.data["delta"] for event in events[:-1]) == TEXT == events[-1].data["text"]
    assert len(events[-1].data["logprobs"]) == len(events) - 1
    assert room.ask("/audio/transcriptions", said(model="whisper-1", stream=True)).events is None


def test_a_script_says_what_is_heard(rooms):
    room = rooms([{"when": "payload.file.filename == 'call.mp3'", "answer": "Scripted."}])
    assert room.post("/audio/transcriptions", said())["text"] == "Scripted."
    assert room.post("/audio/transcriptions", said("other.mp3"))["text"] != "Scripted."


def test_translations_have_no_speakers(room):
    with pytest.raises(ApiError, match="Supported values are"):
        room.post("/audio/translations", said(model="whisper-1", response_format="diarized_json"))


def test_a_voice_tells_what_it_was_made_of(room):
    sample = {"name": "Ada", "audio_sample": Upload("a.wav", "audio/wav", b"RIFF"), "consent": "cons_1"}
    assert room.post("/audio/voices", sample)["type"] == "audio_sample"
    described = room.post("/audio/voices", {"name": "Bo", "prompt": "A calm voice.", "type": "prompt"})
    assert (described["type"], described["name"]) == ("prompt", "Bo")
    assert room.backend.objects.get("audio voices", described["id"]) == described
