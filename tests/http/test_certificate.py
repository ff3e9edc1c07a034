"""Servers that demand a certificate of the client (mTLS): it is shown, renewed when its file changes, and explained."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from aiohttp import web

from connector.errors import ConfigurationError
from connector.http.forward_request import ForwardRequest
from connector.http.transports.aiohttp_exceptions import map_after_sending
from connector.http.transports.base import CertificateRefused
from connector.model import State

CERTIFICATES = Path(__file__).parent / "certificates"
CA = str(CERTIFICATES / "ca.pem")
PASSWORD = "pass-canary-1234"
ENGINES = pytest.mark.parametrize("engine", ["aiohttp", "httpx"])


def pem(name: str) -> dict[str, str]:
    return {"file": str(CERTIFICATES / f"{name}.pem"), "key": str(CERTIFICATES / f"{name}.pem")}


def demanding() -> ssl.SSLContext:
    """The TLS of a server that serves only clients with a certificate of our authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / "good.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(CERTIFICATES / "client-ca.pem")
    return context


@dataclass
class Bank:
    """A server that demands certificates: by whom it was called, and what it was asked."""

    uri: str = ""
    names: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        assert request.transport is not None
        subject = dict(part for (part,) in request.transport.get_extra_info("peercert")["subject"])
        self.names.append(subject["commonName"])
        self.bodies.append(await request.read())
        if request.path == "/oauth/token":
            return web.json_response({"access_token": "access-of-the-certificate", "expires_in": 60})
        return web.json_response({"authorization": request.headers.get("authorization")})


@pytest.fixture
async def bank():
    started, application = Bank(), web.Application()
    application.router.add_route("*", "/{path:.*}", started.answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=demanding()).start()
    started.uri = f"https://127.0.0.1:{runner.addresses[0][1]}"
    yield started
    await runner.cleanup()


@pytest.fixture
def gate():
    """A server that tells clients without a good certificate so, and then lets them go in peace."""
    listening = socket.create_server(("127.0.0.1", 0))
    context = demanding()

    def meet(raw: socket.socket) -> None:
        copy = socket.socket(fileno=os.dup(raw.fileno()))
        with suppress(OSError), context.wrap_socket(raw, server_side=True, do_handshake_on_connect=False) as secure:
            secure.do_handshake()
            raise AssertionError("no client of these tests has a certificate that is good here")
        with copy, suppress(OSError):
            copy.settimeout(5)
            copy.shutdown(socket.SHUT_WR)
            while copy.recv(65536):
                pass

    def serve() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=meet, args=(listening.accept()[0],), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()

    def limit(version: ssl.TLSVersion) -> str:
        context.maximum_version = version
        return f"https://127.0.0.1:{listening.getsockname()[1]}"

    yield limit
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join(5)


@ENGINES
async def test_a_server_that_demands_a_certificate_is_shown_it(make_client, wire, bank, engine):
    client = make_client(base_uri=bank.uri, ca_bundle=CA, certificate=pem("client"), transport=engine)
    outcome = await client.send(wire())
    assert (outcome.ok, bank.names, bank.bodies) == (True, ["client"], [b'{"a":1}'])
    assert outcome.body == {"authorization": "Bearer sk-canary-1234567890"}
    async with client.forward(ForwardRequest(method="GET", path="/x")) as answer:
        assert answer.status == 200


@ENGINES
async def test_an_encrypted_key_is_opened_with_its_password(make_client, wire, bank, engine):
    certificate = {**pem("client-encrypted"), "password": PASSWORD}
    client = make_client(base_uri=bank.uri, ca_bundle=CA, certificate=certificate, transport=engine)
    assert (await client.send(wire())).ok
    assert bank.names == ["client"]
    assert PASSWORD in client.redactor.secrets
    assert PASSWORD not in repr(client.parameters)


@ENGINES
async def test_a_certificate_that_was_replaced_is_shown_from_the_next_call_on(
    make_client, wire, bank, engine, tmp_path
):
    file, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    for target in (file, key):
        shutil.copy(CERTIFICATES / "client.pem", target)
    certificate = {"file": str(file), "key": str(key)}
    client = make_client(base_uri=bank.uri, ca_bundle=CA, certificate=certificate, transport=engine)
    for _ in range(2):
        assert (await client.send(wire())).ok
    shutil.copy(CERTIFICATES / "client-renewed.pem", file)
    assert (await client.send(wire())).ok, "the key does not fit yet: the certificate before it is shown"
    shutil.copy(CERTIFICATES / "client-renewed.pem", key)
    assert (await client.send(wire())).ok
    file.unlink()
    assert (await client.send(wire())).ok, "a file that is away for a moment changes nothing"
    assert bank.names == ["client", "client", "client", "client-renewed", "client-renewed"]


@ENGINES
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(
    ("certificate", "said"),
    [
        (None, "client certificate"),
        ("client-stranger", "refused the client certificate, or the lack of one, as 'unknown ca'"),
    ],
)
async def test_a_certificate_that_is_not_wanted_is_said_in_a_sentence(
    make_client, wire, gate, engine, version, certificate, said
):
    more = {} if certificate is None else {"certificate": pem(certificate)}
    client = make_client(base_uri=gate(version), ca_bundle=CA, transport=engine, **more)
    outcome = await client.send(wire())
    assert said in outcome.reason
    if engine == "aiohttp":
        assert outcome.state is State.NOT_SENT
        assert outcome.reason.startswith(("127.0.0.1:", "no TLS with 127.0.0.1:"))
    if certificate is None and version is ssl.TLSVersion.TLSv1_3:
        assert "demands a client certificate: give the client's parameter certificate" in outcome.reason


@pytest.mark.parametrize(("is_new", "kind"), [(True, CertificateRefused), (False, httpx.ReadError)])
def test_only_a_new_connection_proves_that_nothing_was_read(is_new, kind):
    alert = ssl.SSLError(1, "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required (_ssl.c:1)")
    failure = map_after_sending(alert, where="bank.example", is_new=is_new)
    assert type(failure) is kind
    assert "bank.example" in str(failure)


@ENGINES
async def test_a_certificate_goes_through_a_proxy(make_client, wire, bank, engine):
    seen: list[bytes] = []

    async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        seen.append(head.split(b"\r\n")[0])
        host, _, port = head.split()[1].decode().partition(":")
        inner_reader, inner_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

        async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            with suppress(ConnectionError):
                while data := await source.read(65536):
                    target.write(data)
            target.close()

        await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))

    async with await asyncio.start_server(tunnel, "127.0.0.1", 0) as proxy:
        port = proxy.sockets[0].getsockname()[1]
        client = make_client(
            base_uri=bank.uri,
            ca_bundle=CA,
            certificate=pem("client"),
            transport=engine,
            proxy=f"http://127.0.0.1:{port}",
        )
        assert (await client.send(wire())).ok
        await client.close()
    assert bank.names == ["client"]
    assert seen == [f"CONNECT {bank.uri.removeprefix('https://')} HTTP/1.1".encode()]


@ENGINES
async def test_a_certificate_alone_is_exchanged_for_an_access_token(make_client, wire, bank, engine):
    identity = {
        "source": "certificate", "identity_provider_id": "idp_1", "service_account_id": "sa_1",
        "exchange_uri": f"{bank.uri}/oauth/token",
    }  # fmt: skip
    client = make_client(
        token=None, base_uri=bank.uri, ca_bundle=CA, certificate=pem("client"), identity=identity, transport=engine
    )
    outcome = await client.send(wire())
    assert outcome.ok, outcome.reason
    assert (outcome.status, bank.names) == (200, ["client", "client"])
    assert bank.bodies[0] == (
        b'{"grant_type":"urn:ietf:params:oauth:grant-type:token-exchange","subject_token_type":'
        b'"urn:openai:params:oauth:token-type:x509","identity_provider_id":"idp_1","service_account_id":"sa_1"}'
    )


@pytest.mark.parametrize(
    ("parameters", "address"),
    [
        ({}, "https://mtls.api.openai.com/v1"),
        ({"region": "eu"}, "https://mtls-eu.api.openai.com/v1"),
        ({"region": "us"}, "https://mtls-us.api.openai.com/v1"),
        ({"base_uri": "https://proxy.example/v1"}, "https://proxy.example/v1"),
    ],
)
def test_a_certificate_leads_to_the_hosts_that_demand_one(make_client, parameters, address):
    assert make_client(certificate=pem("client"), **parameters).base_uri == address


def test_a_region_without_such_a_host_is_said(make_client):
    with pytest.raises(ConfigurationError, match="region jp has no host that takes certificates: us and eu have one"):
        make_client(certificate=pem("client"), region="jp")


def test_a_certificate_is_exchanged_at_the_host_that_demands_one(make_client):
    identity = {"source": "certificate", "identity_provider_id": "i", "service_account_id": "s"}
    client = make_client(token=None, certificate=pem("client"), identity=identity)
    assert client.parameters.workload.exchange == "https://mtls.auth.openai.com/oauth/token"


UNUSABLE = [
    (
        "client",
        "client-renewed",
        None,
        "the key in '.*client-renewed.pem' does not belong to the certificate in '.*client",
    ),
    ("client-encrypted", "client-encrypted", None, "is encrypted: give its password"),
    ("client-encrypted", "client-encrypted", "wrong-password", "is encrypted: password does not open it"),
    ("ca", "ca", None, "'.*ca.pem' holds no private key; a PEM file is allowed"),
    ("nowhere", "client", None, r"certificate.file: cannot read '.*nowhere.pem': no such file"),
    ("client", "nowhere", None, r"certificate.key: cannot read '.*nowhere.pem': no such file"),
]


@pytest.mark.parametrize(("file", "key", "password", "said"), UNUSABLE)
def test_a_certificate_that_cannot_be_used_is_said_at_once(make_client, file, key, password, said):
    certificate = {"file": pem(file)["file"], "key": pem(key)["key"], "password": password}
    with pytest.raises(ConfigurationError, match=said) as raised:
        make_client(certificate=certificate)
    assert "wrong-password" not in str(raised.value)


def test_what_is_no_certificate_is_said(make_client, tmp_path):
    (tmp_path / "odd.pem").write_text("hello")
    certificate = {"file": str(tmp_path / "odd.pem"), "key": pem("client")["key"]}
    with pytest.raises(ConfigurationError, match="holds no certificate; a PEM file is allowed"):
        make_client(certificate=certificate)
