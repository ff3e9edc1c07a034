"""What is used of aiohttp beyond its API is there, as it is used; each failure says where to look.

`connector/http/transports/aiohttp_connection.py` and its neighbours drive aiohttp below its API. A minor version may
change that without notice, so pyproject.toml allows the minor versions that passed these tests and the others of this
folder.
"""

from __future__ import annotations

import asyncio
import inspect
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints

import aiohttp
import pytest
from aiohttp import web
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import Connection
from aiohttp.http import StreamWriter
from aiohttp.http_parser import RawResponseMessage
from yarl import URL

from connector.http.transports.aiohttp_connection import ParserOptions
from connector.http.transports.aiohttp_transport import PARSING

ROOT = Path(__file__).parents[2]
CALLS: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
    "the pool, asked for a connection": (aiohttp.BaseConnector.connect, ("req", "traces", "timeout")),
    "the pool, asked for an idle connection": (aiohttp.BaseConnector._get, ("key", "traces")),
    "an answer that does not come": (ResponseHandler.set_exception, ("exc",)),
    "a request of a caller": (web.BaseRequest, ("message", "payload", "protocol", "payload_writer", "task", "loop")),
    "a request's writer": (StreamWriter, ("protocol", "loop")),
    "a request's head": (StreamWriter.write_headers, ("status_line", "headers")),
    "a request's body": (StreamWriter.write, ("chunk", "drain")),
    "an answer's parser": (
        ResponseHandler.set_response_params,
        ("skip_payload", "read_until_eof", "read_timeout", *get_type_hints(ParserOptions)),
    ),
    "an answer's time-out": (ResponseHandler.start_timeout, ()),
    "an answer's head": (ResponseHandler.read, ()),
    "a connection that goes back": (Connection.release, ()),
    "a connection that is given up": (Connection.close, ()),
    "where a connection leads": (ClientRequest, ("method", "url", "ssl", "loop")),
    "the end of a body": (aiohttp.StreamReader.on_eof, ("callback",)),
    "a body that has arrived": (aiohttp.StreamReader.read_nowait, ()),
}
ATTRIBUTES = {
    Connection: ("protocol", "transport"),
    RawResponseMessage: ("code", "raw_headers"),
    aiohttp.StreamReader: ("is_eof", "exception", "readany"),
    ClientRequest: ("connection_key", "send"),
    # The gateway's connections (connector/gateway/connection.py) bound and watch what aiohttp keeps of each caller.
    web.RequestHandler: (
        "_max_msg_queue_size",
        "_msg_queue_resume_size",
        "_request_count",
        "_waiter",
        "_messages",
        "_current_request",
        "_loop",
        "_close",
        "_force_close",
        "_keepalive_timeout",
        "_next_keepalive_close_time",
        "_process_keepalive",
        "writing_paused",
        "transport",
        "force_close",
        "connection_made",
        "connection_lost",
        "data_received",
        "handle_error",
    ),
    StreamWriter: ("output_size", "enable_chunking", "write_eof"),
}


def changed(what: str, seen: str) -> str:
    return (
        f"aiohttp {aiohttp.__version__} changed {what}: {seen}. It is used in connector/http (direct.py, transport.py,"
        " exchange.py) and connector/gateway (connection.py, replies.py): adapt them, run tests/http and tests/gateway,"
        " then widen aiohttp's range in pyproject.toml"
    )


def missing(call: Callable[..., Any], names: tuple[str, ...]) -> list[str]:
    return [name for name in names if name not in inspect.signature(call).parameters]


@pytest.mark.parametrize("what", CALLS)
def test_a_call_takes_what_it_is_given(what: str) -> None:
    call, names = CALLS[what]
    assert not missing(call, names), changed(what, f"{call.__qualname__} takes no {', '.join(missing(call, names))}")


@pytest.mark.parametrize("kind", ATTRIBUTES, ids=[kind.__name__ for kind in ATTRIBUTES])
def test_what_is_looked_at_is_there(kind: type) -> None:
    known = {*dir(kind), *get_type_hints(kind), *getattr(kind, "_fields", ())}
    gone = [name for name in ATTRIBUTES[kind] if name not in known]
    assert not gone, changed(kind.__name__, f"it has no {', '.join(gone)}")


@pytest.mark.parametrize("name", ["write_headers", "write"])
def test_what_is_awaited_can_be(name: str) -> None:
    assert inspect.iscoroutinefunction(getattr(StreamWriter, name)), changed(f"StreamWriter.{name}", "it is not async")


async def test_an_idle_connection_is_not_waited_for() -> None:
    async with aiohttp.TCPConnector() as pool:
        key = ClientRequest("GET", URL("http://127.0.0.1:9"), loop=asyncio.get_running_loop()).connection_key
        with pytest.raises(StopIteration) as taken:
            pool._get(key, []).send(None)
    assert taken.value.value is None, changed("BaseConnector._get", "it gives what is not there")


async def test_a_request_without_a_session_leads_to_its_origin() -> None:
    """Direct makes one for each origin and gives it to the pool."""
    request = ClientRequest("GET", URL("https://api.example:444"), ssl=True, loop=asyncio.get_running_loop())
    key = request.connection_key
    assert (key.host, key.port, key.is_ssl) == ("api.example", 444, True), changed("ClientRequest", str(key))


def test_every_setting_of_the_parser_is_given() -> None:
    assert set(PARSING) == set(get_type_hints(ParserOptions))


def test_a_change_is_reported_with_what_to_do() -> None:
    """The canary itself: a parameter that is not there is seen and named."""
    assert missing(aiohttp.BaseConnector.connect, ("req", "sock")) == ["sock"]
    assert "widen aiohttp's range in pyproject.toml" in changed("the pool", "")


def test_the_range_names_minor_versions_and_this_one_lies_in_it() -> None:
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    (stated,) = [line for line in dependencies if line.startswith("aiohttp")]
    found = re.fullmatch(r"aiohttp>=([\d.]+),<(\d+\.\d+)", stated)
    assert found, f"{stated}: name the first version and the first minor version that was not tried"
    least, most, this = (tuple(map(int, text.split("."))) for text in (*found.groups(), aiohttp.__version__))
    assert least <= this < most
    assert (most[0], most[1] - 1) == this[:2], "the last minor version of the range is the one of the lock file"
