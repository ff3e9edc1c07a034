"""Images and videos: valid files of the size and format that were asked for."""

from __future__ import annotations

import base64
import struct
import zlib

import pytest

from connector.sandbox.messages import ApiError, Upload
from connector.sandbox.models.media.pictures import draw_picture, render_video

HEADS = {"png": b"\x89PNG", "jpeg": b"\xff\xd8\xff", "webp": b"RIFF", "gif": b"GIF89a", "svg": b"<svg "}
FILE = Upload("a.png", "image/png", b"\x89PNG")


def size_of(data):
    """Width and height as a file of each format says them."""
    if data.startswith(HEADS["png"]):
        return struct.unpack(">II", data[16:24])
    if data.startswith(HEADS["jpeg"]):
        place = data.index(b"\xff\xc0")
        return struct.unpack(">HH", data[place + 5 : place + 9])[::-1]
    if data.startswith(HEADS["webp"]):
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return struct.unpack("<HH", data[6:10])


@pytest.mark.parametrize("form", ["png", "jpeg", "webp", "gif"])
@pytest.mark.parametrize("size", [(1024, 1536), (1792, 1024), (3, 5)])
def test_a_picture_has_its_format_and_size_and_is_small(form, size):
    data = draw_picture("a cat", *size, form)
    assert data.startswith(HEADS[form])
    assert size_of(data) == size
    assert len(data) < 12_000
    assert data != draw_picture("a dog", *size, form)


def test_a_png_holds_every_row():
    data = draw_picture("a cat", 100, 50)
    start = data.index(b"IDAT")
    length = struct.unpack(">I", data[start - 4 : start])[0]
    assert len(zlib.decompress(data[start + 4 : start + 4 + length])) == 50 * (1 + 13)
    assert (
        zlib.crc32(data[start : start + 4 + length])
        == struct.unpack(">I", data[start + 4 + length : start + 8 + length])[0]
    )


def test_a_jpeg_has_a_bit_for_every_block():
    scan = (
        draw_picture("a cat", 160, 160, "jpeg")
        .split(b"\0\x3f\0", 1)[1]
        .removesuffix(b"\xff\xd9")
        .replace(b"\xff\0", b"\xff")
    )
    assert len(scan) * 8 >= 100 * 12
    assert len(scan) * 8 < 100 * 12 + 40


def test_a_video_is_made_of_boxes_to_its_end():
    data, place, names = render_video("a cat", 720, 1280, 8), 0, []
    while place < len(data):
        size, name = struct.unpack(">I4s", data[place : place + 8])
        names.append(name)
        place += size
    assert (names, place) == ([b"ftyp", b"mdat", b"moov"], len(data))


def test_newer_models_answer_with_the_picture_itself(room):
    body = room.post(
        "/images/generations",
        {
            "model": "gpt-image-1",
            "prompt": "a cat",
            "n": 2,
            "size": "1536x1024",
            "output_format": "webp",
            "background": "transparent",
        },
    )
    pictures = [base64.b64decode(one["b64_json"]) for one in body["data"]]
    assert [size_of(one) for one in pictures] == [(1536, 1024)] * 2
    assert pictures[0] != pictures[1]
    assert (body["output_format"], body["size"], body["background"]) == ("webp", "1536x1024", "transparent")
    usage = body["usage"]
    assert usage["input_tokens"] + usage["output_tokens"] == usage["total_tokens"]


def test_older_models_answer_with_an_address_of_the_sandbox(room):
    body = room.post("/images/generations", {"model": "dall-e-3", "prompt": "a cat", "size": "1792x1024"})
    address = body["data"][0]["url"]
    assert address.startswith("http://127.0.0.1:8080/sandbox/files/img-")
    assert size_of(room.backend.read_content(address.rsplit("/", 1)[1])) == (1792, 1024)
    assert body["data"][0]["revised_prompt"] == "a cat"
    assert "usage" not in body
    inline = room.post(
        "/images/generations",
        {"model": "dall-e-2", "prompt": "a cat", "size": "256x256", "response_format": "b64_json"},
    )
    assert size_of(base64.b64decode(inline["data"][0]["b64_json"])) == (256, 256)


def test_edits_and_variations_take_files(room):
    edited = room.post("/images/edits", {"image": [FILE, FILE], "prompt": "a hat", "size": "auto"})
    assert size_of(base64.b64decode(edited["data"][0]["b64_json"])) == (1024, 1024)
    assert edited["usage"]["input_tokens_details"]["image_tokens"] == 2 * 194
    varied = room.post("/images/variations", {"image": FILE, "n": 2, "response_format": "b64_json"})
    assert len(varied["data"]) == 2


@pytest.mark.parametrize("path", ["/images/generations", "/images/edits"])
def test_a_stream_shows_unfinished_pictures_first(room, path):
    payload = {"model": "gpt-image-1", "prompt": "a cat", "stream": True, "partial_images": 2, "image": FILE}
    if path == "/images/generations":
        del payload["image"]
    events = room.stream(path, payload)
    kind = "image_generation" if path == "/images/generations" else "image_edit"
    assert [event.name for event in events] == [f"{kind}.partial_image"] * 2 + [f"{kind}.completed"]
    assert [event.data.get("partial_image_index") for event in events] == [0, 1, None]


@pytest.mark.parametrize("size", ["big", "0x5", "9999x1", "1x2x3"])
def test_a_size_that_is_none_is_refused(room, size):
    with pytest.raises(ApiError, match="WIDTHxHEIGHT"):
        room.post("/images/generations", {"prompt": "a cat", "size": size})


def test_a_video_is_finished_after_a_while(room):
    begun = room.post("/videos", {"prompt": "a cat", "size": "1280x720", "seconds": "8"})
    path = f"/videos/{begun['id']}"
    assert (begun["status"], begun["progress"]) == ("queued", 0)
    with pytest.raises(ApiError, match="not ready"):
        room.ask(f"{path}/content", method="GET")
    room.time += 1.5
    assert (room.get(path)["status"], room.get(path)["progress"]) == ("in_progress", 50)
    room.time += 1
    finished = room.get(path)
    assert (finished["status"], finished["progress"]) == ("completed", 100)
    assert finished["completed_at"] < finished["expires_at"]
    types = [
        room.ask(f"{path}/content", method="GET", query={"variant": variant}).content_type
        for variant in ("video", "thumbnail", "spritesheet")
    ]
    assert types == ["video/mp4", "image/webp", "image/jpeg"]


def test_a_video_is_made_of_another(room):
    source = room.post("/videos", {"prompt": "a cat", "size": "1280x720"})
    with pytest.raises(ApiError, match="not ready"):
        room.post(f"/videos/{source['id']}/remix", {"prompt": "a dog"})
    room.time += 5
    remixed = room.post(f"/videos/{source['id']}/remix", {"prompt": "a dog"})
    assert (remixed["remixed_from_video_id"], remixed["size"], remixed["prompt"]) == (source["id"], "1280x720", "a dog")
    extended = room.post("/videos/extensions", {"prompt": "on", "seconds": "8", "video": {"id": source["id"]}})
    assert (extended["seconds"], extended["size"]) == ("8", "1280x720")
    listed = room.get("/videos", limit=2)
    assert [one["id"] for one in listed["data"]] == [extended["id"], remixed["id"]]
    assert listed["has_more"]
    assert "started" not in listed["data"][0]
