"""Pages in browsers: the listed ones call with short-lived tokens of their own, and nobody else does."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from random import Random
from typing import Any

import httpx
import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.config.models.gateway import hash_token
from connector.errors import ConfigurationError
from connector.gateway.origins import Origins
from tests.gateway.conftest import KEY, TOKEN, Clock, Running, Start, Upstream

PAGE = "https://canvas.example.com"
OTHER = "http://localhost:3000"
SIGNING_KEY = "k" * 32
PAGES = {"origins": [PAGE, OTHER], "signing_key": SIGNING_KEY}
ALLOWED = "access-control-allow-origin"


async def page_token(gateway: Running, token: str = TOKEN, **wanted: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return await gateway.http.post(f"{gateway.url}/page-tokens", json={"origin": PAGE, **wanted}, headers=headers)


async def some_token(gateway: Running, **wanted: Any) -> str:
    answer = await page_token(gateway, **wanted)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


async def preflight(gateway: Running, origin: str = PAGE, method: str = "POST", **headers: str) -> httpx.Response:
    given = {"Origin": origin, "Access-Control-Request-Method": method, **headers}
    return await gateway.http.options(f"{gateway.url}/openai/v1/chat/completions", headers=given)


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def cross_origin(answer: httpx.Response) -> list[str]:
    """The names of headers by which a browser would let the page have this answer."""
    return [name for name in answer.headers if name.startswith("access-control-")]


async def test_a_page_calls_with_a_token_of_its_own(start: Start, upstream: Upstream) -> None:
    gateway = await start(gateway=PAGES)
    issued = (await page_token(gateway, seconds=60)).json()
    assert (issued["origin"], issued["expires_in"]) == (PAGE, 60)
    answer = await gateway.chat(issued["token"], headers={"Origin": PAGE})
    assert answer.status_code == 200
    assert answer.headers[ALLOWED] == PAGE
    assert "access-control-allow-credentials" not in answer.headers
    assert answer.headers["vary"] == "Origin"
    exposed = answer.headers["access-control-expose-headers"].split(", ")
    assert {"x-request-id", "x-ratelimit-remaining-requests", "retry-after", "x-should-retry"} <= set(exposed)
    [seen] = upstream.seen
    assert "origin" not in seen.headers
    assert seen.headers["authorization"] == f"Bearer {KEY}"


async def test_the_path_that_atlas_calls(start: Start, upstream: Upstream) -> None:
    gateway = await start(gateway=PAGES)
    answer = await gateway.get("/v1/apis/http/openai/v1/models", await some_token(gateway), headers={"Origin": PAGE})
    assert (answer.status_code, answer.headers[ALLOWED]) == (200, PAGE)
    assert upstream.seen[0].target == "/v1/models"


async def test_a_browser_is_told_what_its_page_may_send(start: Start) -> None:
    gateway = await start(gateway={**PAGES, "headers": ["X-App"]})
    named = "authorization,content-type,x-stainless-lang, X-Stainless-Retry-Count,openai-project,x-app"
    answer = await preflight(gateway, **{"Access-Control-Request-Headers": named})
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers[ALLOWED] == PAGE
    assert answer.headers["access-control-allow-methods"] == "POST"
    assert answer.headers["access-control-allow-headers"].split(", ") == [
        "authorization", "content-type", "x-stainless-lang", "x-stainless-retry-count", "openai-project", "x-app",
    ]  # fmt: skip
    assert answer.headers["access-control-max-age"] == "600"
    assert answer.headers["vary"].startswith("Origin, Access-Control-Request-Method")
    assert "access-control-allow-credentials" not in answer.headers
    assert "access-control-allow-private-network" not in answer.headers
    private = await preflight(gateway, **{"Access-Control-Request-Private-Network": "true"})
    assert private.headers["access-control-allow-private-network"] == "true"
    assert "access-control-allow-headers" not in private.headers


async def test_what_a_page_may_not_send_is_refused_before_it_is_sent(start: Start, upstream: Upstream) -> None:
    gateway = await start(gateway=PAGES)
    refused = await preflight(gateway, **{"Access-Control-Request-Headers": "authorization, x-forwarded-host"})
    assert code(refused) == (403, "header_not_allowed")
    assert "'x-forwarded-host'" in refused.json()["error"]["message"]
    assert code(await preflight(gateway, method="TRACE")) == (405, "method_not_allowed")
    for answer in (refused, await preflight(gateway, "https://evil.example"), await preflight(gateway, "null")):
        assert cross_origin(answer) == []
    plain = await gateway.http.options(f"{gateway.url}/openai/v1/models", headers={"Origin": PAGE})
    assert code(plain) == (405, "method_not_allowed")
    assert upstream.seen == []


NEAR = [
    "null", "", "https://canvas.example.com.", "https://canvas.example.com:443", "http://canvas.example.com",
    "https://canvas.example.com.evil.example", "https://evil.example?https://canvas.example.com",
    "https://Canvas.example.com", "HTTPS://canvas.example.com", "https://canvas.example.com/", "//canvas.example.com",
    "https://canvas.example.com:8443", "https://sub.canvas.example.com", "https://canvasXexample.com",
    "https://canvas.example.com https://evil.example", "https://canvas.example.com@evil.example", "http://localhost",
    "http://localhost:3001", "http://127.0.0.1:3000", "https://xn--canvas.example.com", "https://canvas.example.co",
]  # fmt: skip


@pytest.mark.parametrize("origin", NEAR)
async def test_no_other_origin_calls_even_with_a_token(start: Start, upstream: Upstream, origin: str) -> None:
    gateway = await start(gateway=PAGES)
    for token in (await some_token(gateway), TOKEN):
        answer = await gateway.chat(token, headers={"Origin": origin})
        assert code(answer) == (403, "origin")
        assert cross_origin(answer) == []
        assert answer.headers["vary"] == "Origin"
    assert upstream.seen == []


async def test_two_origins_are_none(start: Start, upstream: Upstream) -> None:
    gateway = await start(gateway=PAGES)
    token = (await some_token(gateway)).encode()
    host = f"127.0.0.1:{gateway.port}".encode()
    lines = [b"GET /openai/v1/models HTTP/1.1", b"Host: " + host, b"Authorization: Bearer " + token]
    for origins in ((PAGE, OTHER), (PAGE, PAGE)):
        sent = [*lines, *(b"Origin: " + each.encode() for each in origins), b"", b""]
        answer = await gateway.raw(b"\r\n".join(sent))
        assert b"duplicate_header" in answer
    assert upstream.seen == []


async def test_a_page_with_a_servers_token_is_refused_and_told(start: Start, upstream: Upstream) -> None:
    gateway = await start(gateway=PAGES)
    answer = await gateway.chat(TOKEN, headers={"Origin": PAGE})
    assert code(answer) == (403, "token_not_for_pages")
    assert "revoke that of bot" in answer.json()["error"]["message"]
    assert answer.headers[ALLOWED] == PAGE, "the page's own developer must be able to read it"
    assert upstream.seen == []


async def test_a_pages_token_is_of_no_use_elsewhere(start: Start, upstream: Upstream) -> None:
    gateway = await start({"metrics": True}, gateway=PAGES)
    token = await some_token(gateway)
    assert code(await gateway.chat(token)) == (403, "origin")
    assert code(await gateway.chat(token, headers={"Origin": OTHER})) == (403, "origin")
    assert code(await gateway.get("/usage", token)) == (403, "origin")
    assert code(await gateway.get("/usage", token, headers={"Origin": PAGE})) == (403, "origin")
    assert code(await page_token(gateway, token)) == (403, "origin"), "no token begets another"
    assert upstream.seen == []


async def test_pages_get_no_tokens_by_themselves(start: Start) -> None:
    gateway = await start({"metrics": True}, gateway=PAGES)
    headers = {"Authorization": f"Bearer {TOKEN}", "Origin": PAGE}
    asked = await gateway.http.post(f"{gateway.url}/page-tokens", json={"origin": PAGE}, headers=headers)
    assert code(asked) == (403, "origin")
    assert code(await gateway.get("/usage", TOKEN, headers={"Origin": PAGE})) == (403, "origin")
    assert code(await gateway.get("/page-tokens")) == (405, "method_not_allowed")
    assert code(await page_token(gateway, "gw-unknown")) == (401, "invalid_token")


async def test_a_token_ends_when_it_said(start: Start, clock: Clock) -> None:
    gateway = await start(gateway=PAGES)
    token = await some_token(gateway, seconds=60)
    clock.move(59)
    assert (await gateway.chat(token, headers={"Origin": PAGE})).status_code == 200
    clock.move(1)
    late = await gateway.chat(token, headers={"Origin": PAGE})
    assert code(late) == (401, "token_expired")
    assert late.headers[ALLOWED] == PAGE


async def test_a_token_holds_over_processes_until_its_caller_has_another(start: Start) -> None:
    token = await some_token(await start(gateway=PAGES))
    assert (await (await start(gateway=PAGES)).chat(token, headers={"Origin": PAGE})).status_code == 200
    changes: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"hash": hash_token("gw-rotated")}, PAGES),
        ({}, {**PAGES, "signing_key": "another" * 8}),
    ]
    for caller, changed in changes:
        gateway = await start(caller, gateway=changed)
        assert code(await gateway.chat(token, headers={"Origin": PAGE})) == (401, "invalid_token")
    gateway = await start(gateway={**PAGES, "origins": [OTHER]})
    assert code(await gateway.chat(token, headers={"Origin": PAGE})) == (403, "origin")


async def test_nothing_of_a_token_can_be_changed(start: Start, upstream: Upstream) -> None:
    gateway = await start(gateway=PAGES)
    token = await some_token(gateway, seconds=60)
    prefix, said, signature = token.split(".")
    claims = json.loads(urlsafe_b64decode(said + "=="))
    assert "key" not in json.dumps(claims)
    forged: list[str] = [
        f"{prefix}.{urlsafe_b64encode(json.dumps({**claims, **change}).encode()).decode().rstrip('=')}.{signature}"
        for change in ({"ends": claims["ends"] + 1}, {"origin": OTHER}, {"caller": "administrator"}, {"caller": "none"})
    ]
    last = signature[:-1] + ("B" if signature[-1] != "B" else "C")
    forged += [f"{prefix}.{said}.{last}", f"{prefix}.{said}", f"{prefix}..{signature}", f"{token}.", "gwp.x.y"]
    forged += [f"{prefix}.{said}.{signature}=", f"{prefix}.{said}==.{signature}", token + "A"]
    for each in forged:
        assert code(await gateway.chat(each, headers={"Origin": PAGE})) == (401, "invalid_token")
    assert upstream.seen == []


async def test_a_token_may_less_than_its_caller_and_never_more(start: Start, upstream: Upstream) -> None:
    caller = {"allow": ["chat completions create", "models *"], "models": ["gpt-5", "gpt-5.6*"]}
    gateway = await start(caller, gateway=PAGES, clients={"second": {"prototype": "openai", "parameters": {
        "base_uri": f"{upstream.url}/v1", "token": "x"}}})  # fmt: skip
    page = {"Origin": PAGE}

    narrow = await some_token(gateway, allow=["models *"], clients=["openai"])
    assert (await gateway.get("/openai/v1/models", narrow, headers=page)).status_code == 200
    assert code(await gateway.chat(narrow, headers=page)) == (403, "not_allowed")
    assert code(await gateway.get("/second/v1/models", narrow, headers=page)) == (403, "client_not_allowed")

    greedy = await some_token(gateway, allow=["files *", "POST /*"], models=["*"])
    assert code(await gateway.get("/openai/v1/files", greedy, headers=page)) == (403, "not_allowed")
    refused = await gateway.chat(greedy, headers=page, payload={"model": "gpt-4.1"})
    assert code(refused) == (403, "model_not_allowed")
    assert (await gateway.chat(greedy, headers=page)).status_code == 200

    one_model = await some_token(gateway, models=["gpt-5.6-luna"])
    assert code(await gateway.chat(one_model, headers=page)) == (403, "model_not_allowed")
    assert (await gateway.chat(one_model, headers=page, payload={"model": "gpt-5.6-luna"})).status_code == 200


async def test_a_model_that_only_the_pages_token_limits_is_looked_for(start: Start, upstream: Upstream) -> None:
    gateway = await start(gateway=PAGES)
    token = await some_token(gateway, models=["gpt-5"])
    refused = await gateway.chat(token, headers={"Origin": PAGE}, payload={"model": "gpt-4.1"})
    assert code(refused) == (403, "model_not_allowed")
    assert upstream.seen == []


async def test_all_pages_of_a_caller_share_its_limits(start: Start) -> None:
    gateway = await start({"requests_per_minute": 2}, gateway=PAGES)
    tokens = [await some_token(gateway) for _ in range(3)]
    answers = [await gateway.chat(token, headers={"Origin": PAGE}) for token in tokens]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers[ALLOWED] == PAGE
    assert "retry-after" in answers[2].headers["access-control-expose-headers"]


@pytest.mark.parametrize(
    ("wanted", "status", "said"),
    [
        ({"origin": "https://evil.example"}, 403, "gateway.origins does not name 'https://evil.example'; it names"),
        ({"origin": f"{PAGE}/"}, 403, "gateway.origins does not name"),
        ({"origin": None}, 400, "origin: Input should be a valid string"),
        ({"seconds": 3601}, 400, "seconds: Input should be less than or equal to 3600"),
        ({"seconds": 0}, 400, "seconds: "),
        ({"seconds": "60"}, 400, "seconds: "),
        ({"scope": "all"}, 400, "scope: Extra inputs are not permitted"),
        ({"allow": ["no such thing"]}, 400, "allow: "),
        ({"allow": "models *"}, 400, "allow: "),
        ({"clients": ["none"]}, 404, "there is no client of that name"),
        ({"models": ["m" * 200] * 64}, 400, "these lists are too long for a token"),
    ],
)
async def test_a_token_that_could_not_be_used_is_not_made(
    start: Start, wanted: dict[str, Any], status: int, said: str
) -> None:
    answer = await page_token(await start(gateway=PAGES), **wanted)
    assert answer.status_code == status
    assert said in answer.json()["error"]["message"]


async def test_a_model_that_the_caller_may_not_use_is_not_promised(start: Start) -> None:
    gateway = await start({"models": ["gpt-5"]}, gateway=PAGES)
    assert code(await page_token(gateway, models=["gpt-4.1"])) == (403, "model_not_allowed")


async def test_a_body_that_is_no_json_or_too_large(start: Start) -> None:
    gateway = await start(gateway=PAGES)
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    for body, status in ((b"", 400), (b"[]", 400), (b"{" * 20_000, 413)):
        answer = await gateway.http.post(f"{gateway.url}/page-tokens", content=body, headers=headers)
        assert answer.status_code == status


async def test_the_administrator_gives_no_tokens_away(start: Start) -> None:
    gateway = await start(gateway=PAGES, options={"administrator": "gw-administrator-1"})
    assert code(await page_token(gateway, "gw-administrator-1")) == (403, "not_allowed")


async def test_without_origins_there_is_nothing_of_all_this(start: Start) -> None:
    gateway = await start()
    answer = await page_token(gateway)
    assert code(answer) == (404, "unknown_path")
    assert "vary" not in answer.headers
    assert code(await preflight(gateway)) == (403, "origin")


async def test_a_short_key_is_no_key(start: Start) -> None:
    with pytest.raises(ConfigurationError, match="found 5 characters"):
        await start(gateway={**PAGES, "signing_key": "short"})


async def test_a_page_reads_a_stream_and_what_upstream_says_of_caches(start: Start, upstream: Upstream) -> None:
    async def stream(request: web.BaseRequest) -> web.StreamResponse:
        headers = {"Content-Type": "text/event-stream", "Vary": "Accept-Encoding", "Access-Control-Allow-Origin": "*"}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        await response.write(b'data: {"choices":[]}\n\ndata: [DONE]\n\n')
        return response

    upstream.handler = stream
    gateway = await start(gateway=PAGES)
    answer = await gateway.chat(await some_token(gateway), headers={"Origin": PAGE}, payload={"stream": True})
    assert answer.headers.get_list(ALLOWED) == [PAGE]
    assert answer.headers.get_list("vary") == ["Accept-Encoding", "Origin"]
    assert answer.text.endswith("data: [DONE]\n\n")


async def test_changed_origins_are_refused_on_the_wire(start: Start, upstream: Upstream) -> None:
    gateway = await start(gateway=PAGES)
    token = await some_token(gateway)
    chance = Random(7)
    signs = [chr(code) for code in range(0x20, 0x100) if code != 0x7F]
    for _ in range(300):
        cut = chance.randrange(len(PAGE) + 1)
        origin = PAGE[:cut] + chance.choice(signs) + PAGE[cut + chance.randrange(2) :]
        if origin.strip() == PAGE:  # the white space around a value is not part of it
            continue
        answer = await gateway.get("/openai/v1/models", token, headers={"Origin": origin.encode("latin-1")})
        assert answer.status_code in (400, 403), origin
        assert cross_origin(answer) == [], origin
    assert upstream.seen == []


LISTED = Origins([PAGE, OTHER])
ALPHABET = st.sampled_from([*PAGE, *OTHER, "\x00", "\t", " ", "é", "\u212a", "。", "%", "\\", "@", "*"])


class Asked:
    """A request as far as origins are concerned."""

    method = "GET"

    def __init__(self, origin: str) -> None:
        self.headers = {"origin": origin}


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.text(ALPHABET, max_size=60)
    | st.tuples(st.text(max_size=5), st.just(PAGE), st.text(max_size=5)).map("".join)
    | st.text(max_size=10).map("https://{}.example.com".format)
    | st.sampled_from(NEAR)
)
def test_only_the_very_same_text_is_an_origin(origin: str) -> None:
    asked: Any = Asked(origin)
    headers = LISTED.answer_headers(asked)
    assert ("Access-Control-Allow-Origin" in headers) == (origin in (PAGE, OTHER))
    assert headers["Vary"] == "Origin"
