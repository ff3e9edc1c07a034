"""What holds for every answer: headers that bind a browser, problems with what to do, limits, pages."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from connector.studio.app import create_app
from connector.studio.context import StudioContext
from tests.studio.kit import ORIGIN, TOKENS

Connect = Callable[..., httpx.AsyncClient]
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.mark.parametrize("path", ["/", "/api/v1/session", "/api/v1/nothing", "/missing.js", "/api/v1/openapi.json"])
async def test_every_answer_binds_the_browser(connect: Connect, path: str) -> None:
    answer = await connect().get(path)
    assert HEADERS.items() <= dict(answer.headers).items()
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"


async def test_an_unknown_operation_is_a_problem(call: Any, bearer: Callable[[str], httpx.AsyncClient]) -> None:
    answer = await bearer("editor").get("/api/v1/nothing")
    assert answer.status_code == 404
    assert answer.json() == {
        "type": "urn:openai-connector:not-found",
        "title": "Not Found",
        "status": 404,
        "detail": "there is no operation at /api/v1/nothing",
        "next": "/api/v1/openapi.json lists what there is",
        "errors": [],
    }


async def test_what_is_wrong_is_named_and_never_shown(connect: Connect) -> None:
    answer = await connect().post("/api/v1/session", json={"code": ["canary"], "cod": "canary"})
    assert answer.status_code == 422
    assert [error["where"] for error in answer.json()["errors"]] == ["body.code", "body.cod"]
    assert "canary" not in answer.text


async def test_a_large_body_is_refused_announced_or_not(connect: Connect) -> None:
    large = b"[" * (16 * 2**20 + 1)

    async def chunks() -> AsyncGenerator[bytes]:
        yield large

    for content in (large, chunks()):
        answer = await connect().post("/api/v1/session", content=content)
        assert answer.status_code == 413
        assert answer.json()["detail"] == "the body is larger than 16,777,216 bytes"


async def test_without_built_pages_the_page_says_how(connect: Connect) -> None:
    answer = await connect().get("/tasks")
    assert answer.status_code == 503
    assert "make setup" in answer.text


async def test_built_pages_are_sent_compressed_and_kept(context: StudioContext) -> None:
    folder: Path = context.pages
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>studio</title>", encoding="utf-8")
    (folder / "assets" / "app-1.js").write_text("let a = 1;\n" * 500, encoding="utf-8")
    transport = httpx.ASGITransport(create_app(context))
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        page = await client.get("/tasks/12")
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert page.headers["cache-control"] == "no-cache"
        assert (await client.get("/tasks", headers={"if-none-match": page.headers["etag"]})).status_code == 304
        script = await client.get("/assets/app-1.js", headers={"accept-encoding": "gzip"})
        assert script.headers["content-encoding"] == "gzip"
        assert script.headers["content-type"].startswith("text/javascript")
        assert "immutable" in script.headers["cache-control"]
        assert script.text.startswith("let a = 1;")
        plain = await client.get("/assets/app-1.js", headers={"accept-encoding": "identity"})
        assert len(plain.content) == 5500
        for missing in ("/assets/none.js", "/../conftest.py", "/assets/%2e%2e/%2e%2e/connector.yaml"):
            assert (await client.get(missing)).status_code == 404
        assert (await client.post("/tasks")).status_code == 405


async def test_what_goes_wrong_is_logged_and_not_told(
    connect: Connect, context: StudioContext, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> Any:
        raise RuntimeError("canary")

    monkeypatch.setattr(context.store, "counts", fail)
    answer = await connect(authorization=f"Bearer {TOKENS['viewer']}").get("/api/v1/session")
    assert answer.status_code == 500
    assert "canary" not in answer.text
    assert "GET /api/v1/session failed" in caplog.text
