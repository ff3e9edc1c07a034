"""A stand-in on loopback for what a workload identity talks to: a cloud's metadata service, the exchange, the API."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

SUBJECT = "eyJhbGciOiJSUzI1NiJ9.subject-canary-{}.c2lnbmF0dXJl"
ACCESS = "access-canary-{}-0123456789"


@dataclass
class Platform:
    """What was asked, and what is answered; tests change both while it runs."""

    uri: str = ""
    life: float = 3600
    """Seconds that access tokens hold."""
    subjects: list[str] = field(default_factory=list)
    """Tokens that were given to the exchange."""
    exchanges: list[dict[str, str]] = field(default_factory=list)
    metadata: list[web.Request] = field(default_factory=list)
    calls: list[tuple[str, bytes]] = field(default_factory=list)
    """The authorization and the body of each call of the API."""
    revoked: set[str] = field(default_factory=set)
    refusals: list[web.Response] = field(default_factory=list)
    """What the exchange answers next, in place of tokens."""
    metadata_refusal: Callable[[], web.Response] | None = None
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    """The exchange answers when it is set."""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by each request to the exchange."""

    def __post_init__(self) -> None:
        self.gate.set()

    @property
    def token(self) -> str:
        """The last access token that was given."""
        return ACCESS.format(len(self.exchanges))

    def identity(self, source: str = "file", **more: object) -> dict[str, object]:
        """Return the parameter `identity` of a client of this platform."""
        ids = {"identity_provider_id": "idp_1", "service_account_id": "sa_1"}
        where = {"metadata_uri": self.uri} if source in ("azure", "gcp") else {}
        return {"source": source, **ids, "exchange_uri": f"{self.uri}/oauth/token", **where, **more}

    async def exchange(self, request: web.Request) -> web.Response:
        asked = await request.json()
        self.exchanges.append(asked)
        self.subjects.append(asked.get("subject_token", ""))
        self.asked.set()
        await self.gate.wait()
        if self.refusals:
            return self.refusals.pop(0)
        return web.json_response({"access_token": self.token, "token_type": "Bearer", "expires_in": self.life})

    async def azure(self, request: web.Request) -> web.Response:
        self.metadata.append(request)
        if self.metadata_refusal is not None:
            return self.metadata_refusal()
        return web.json_response({"access_token": SUBJECT.format("azure"), "expires_in": "3599"})

    async def google(self, request: web.Request) -> web.Response:
        self.metadata.append(request)
        if self.metadata_refusal is not None:
            return self.metadata_refusal()
        return web.Response(text=f"{SUBJECT.format('google')}\n", headers={"metadata-flavor": "Google"})

    async def api(self, request: web.Request) -> web.Response:
        authorization = request.headers.get("authorization", "")
        self.calls.append((authorization, await request.read()))
        if authorization.removeprefix("Bearer ") in self.revoked or not authorization.startswith("Bearer access-"):
            error = {"message": f"wrong credential {authorization}", "type": "x", "code": "invalid_api_key"}
            return web.json_response({"error": error}, status=401)
        if request.path.endswith("/models"):
            return web.json_response({"object": "list", "data": [{"id": "m", "object": "model"}]})
        return web.json_response({"echo": authorization})

    @property
    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_post("/oauth/token", self.exchange)
        application.router.add_get("/metadata/identity/oauth2/token", self.azure)
        application.router.add_get("/computeMetadata/v1/instance/service-accounts/default/identity", self.google)
        application.router.add_route("*", "/v1/{path:.*}", self.api)
        return application

    async def start(self) -> web.AppRunner:
        """Listen on loopback; whoever starts it cleans the runner up."""
        runner = web.AppRunner(self.application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.uri = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner
