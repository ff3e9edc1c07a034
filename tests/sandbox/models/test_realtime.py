"""Realtime: keys, sessions and calls."""

from __future__ import annotations

from connector.sandbox.messages import Upload


def test_a_key_tells_the_session_it_is_for(room):
    session = {
        "type": "realtime",
        "model": "gpt-realtime-mini",
        "instructions": "Be kind.",
        "audio": {"output": {"voice": "marin"}},
    }
    body = room.post(
        "/realtime/client_secrets", {"session": session, "expires_after": {"anchor": "created_at", "seconds": 60}}
    )
    assert body["value"].startswith("ek_")
    assert body["expires_at"] == room.time + 60
    assert (body["session"]["model"], body["session"]["instructions"]) == ("gpt-realtime-mini", "Be kind.")
    heard = room.post("/realtime/client_secrets", {"session": {"type": "transcription"}})
    assert heard["session"]["object"] == "realtime.transcription_session"
    assert room.post("/realtime/client_secrets", {})["session"]["type"] == "realtime"


def test_a_translation_has_its_own(room):
    session = {"model": "gpt-realtime-translate", "audio": {"output": {"language": "es"}}}
    body = room.post("/realtime/translations/client_secrets", {"session": session})
    assert body["session"]["audio"] == {"output": {"language": "es"}}


def test_sessions_of_the_older_kind(room):
    body = room.post(
        "/realtime/sessions", {"client_secret": {"value": "x", "expires_at": 1}, "instructions": "Be kind."}
    )
    assert body["client_secret"]["value"].startswith("ek_")
    assert body["instructions"] == "Be kind."
    assert (
        room.post("/realtime/transcription_sessions", {"input_audio_format": "g711_ulaw"})["input_audio_format"]
        == "g711_ulaw"
    )


def test_a_call_is_taken_up_where_it_is_told(room):
    offered = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
    for payload in (
        offered,
        {"sdp": offered, "session": {"type": "realtime"}},
        {"sdp": Upload("sdp", "application/sdp", offered.encode())},
    ):
        answer = room.ask("/realtime/calls", payload)
        assert (answer.status, answer.content_type) == (201, "application/sdp")
        assert answer.data.startswith(b"v=0\r\n")
        assert b"m=audio 9" in answer.data
        assert answer.headers["Location"].startswith("/v1/realtime/calls/rtc_")
    for verb in ("accept", "hangup", "refer", "reject"):
        payload = {"accept": {"type": "realtime"}, "refer": {"target_uri": "tel:+1"}, "reject": {}}.get(verb)
        assert room.ask(f"/realtime/calls/rtc_1/{verb}", payload).data == b""
