"""The token that a workload's platform gives it: from a file, a command or the platform's metadata service."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from urllib.parse import urlencode

import httpx

from connector.documents import parse
from connector.errors import InvalidDocument
from connector.http.identity.failure import IdentityFailed
from connector.http.identity.parameters import AUDIENCE, RESOURCE, Identity
from connector.model import JSON, members

__all__ = ["Send", "SubjectToken", "find_error", "find_subject_token", "send_briefly"]

MOST_BYTES = 64 * 1024
PATIENCE = 10.0
"""Seconds for an answer, of a program as well as of a server."""
AZURE_VERSION = "2018-02-01"
TIMEOUTS = {"connect": 5.0, "read": PATIENCE, "write": PATIENCE, "pool": 5.0}
PASSING = (408, 409, 429)
"""Statuses of refusals that pass with time, as those from 500 on do."""

Send = Callable[[httpx.Request], Awaitable[tuple[int, Mapping[str, str], bytes]]]
"""Sends a request and returns status, headers and body."""


class SubjectToken:
    """A source of the workload's own token."""

    async def read(self) -> str:
        """Return the token as it is now; IdentityFailed says in words why there is none."""
        raise NotImplementedError

    def identify(self) -> object:
        """Return what changes when the source has another token; None where that cannot be seen."""
        return None


class FileToken(SubjectToken):
    """A token in a file that something else keeps fresh."""

    def __init__(self, path: str) -> None:
        self._path = path

    async def read(self) -> str:
        try:
            data = await asyncio.to_thread(_read_start, self._path)
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            raise IdentityFailed(
                f"cannot read the token file {self._path!r}: {reason}; check token_file, and that it is mounted",
                is_final=True,
            ) from None
        return check_token(data, f"the token file {self._path!r}")

    def identify(self) -> object:
        try:
            status = os.stat(self._path)  # noqa: PTH116  a link is followed, as the platform swaps it
        except OSError:
            return None
        return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


class CommandToken(SubjectToken):
    """A token that a program prints."""

    def __init__(self, words: tuple[str, ...]) -> None:
        self._words = words

    async def read(self) -> str:
        name = self._words[0]
        try:
            process = await asyncio.create_subprocess_exec(
                *self._words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            raise IdentityFailed(f"cannot run the command {name!r}: {reason}", is_final=True) from None
        try:
            async with asyncio.timeout(PATIENCE):
                printed, _ = await process.communicate()
        except TimeoutError:
            raise IdentityFailed(
                f"the command {name!r} printed no token within {PATIENCE:g} seconds", is_final=False
            ) from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            raise IdentityFailed(
                f"the command {name!r} ended with status {process.returncode}; run it by hand to see why", is_final=True
            )
        return check_token(printed, f"what the command {name!r} printed")


class AzureToken(SubjectToken):
    """The access token of a managed identity."""

    def __init__(self, identity: Identity, send: Send) -> None:
        query = {"api-version": AZURE_VERSION, "resource": identity.resource or RESOURCE}
        chosen = {
            "client_id": identity.client_id, "object_id": identity.object_id, "msi_res_id": identity.resource_id
        }  # fmt: skip
        query |= {name: value for name, value in chosen.items() if value}
        self._url = f"{identity.service}/metadata/identity/oauth2/token?{urlencode(query)}"
        self._send = send

    async def read(self) -> str:
        where = "Azure's metadata service"
        data = await _get(self._url, {"metadata": "true"}, where, self._send)
        token = members(_parse(data)).get("access_token")
        return check_token(token.encode() if isinstance(token, str) else b"", f"the access_token of {where}")


class GoogleToken(SubjectToken):
    """The identity token of a machine's service account."""

    def __init__(self, identity: Identity, send: Send) -> None:
        query = urlencode({"audience": identity.audience or AUDIENCE})
        self._url = f"{identity.service}/computeMetadata/v1/instance/service-accounts/default/identity?{query}"
        self._send = send

    async def read(self) -> str:
        where = "Google's metadata server"
        data = await _get(self._url, {"metadata-flavor": "Google"}, where, self._send)
        return check_token(data, f"the answer of {where}")


def find_subject_token(identity: Identity, send: Send) -> SubjectToken | None:
    """Return the source that an identity names; None where the client's certificate is all there is."""
    if identity.source == "azure":
        return AzureToken(identity, send)
    if identity.source == "gcp":
        return GoogleToken(identity, send)
    if identity.source == "command":
        return CommandToken(identity.command)
    return FileToken(identity.file) if identity.file else None


def check_token(data: bytes, where: str) -> str:
    """Return a token without the line break around it; IdentityFailed if it cannot be one."""
    token = data.strip()
    if not token:
        raise IdentityFailed(f"{where} is empty", is_final=True)
    if len(token) > MOST_BYTES:
        raise IdentityFailed(f"{where} is longer than {MOST_BYTES} bytes, which no token is", is_final=True)
    if not all(0x21 <= byte <= 0x7E for byte in token):
        raise IdentityFailed(f"{where} is no token: one word of ASCII is allowed", is_final=True)
    return token.decode()


def find_error(data: bytes) -> str:
    """Return what an OAuth error says, its code and its description; empty if it is none."""
    body = members(_parse(data))
    error = body.get("error")
    if isinstance(error, dict):
        body = members(error)
        error = body.get("code") or body.get("type")
    words = [word for word in (error, body.get("error_description") or body.get("message")) if isinstance(word, str)]
    return ": ".join(" ".join(word.split())[:300].rstrip(".") for word in words)


async def send_briefly(request: httpx.Request, where: str, send: Send) -> tuple[int, Mapping[str, str], bytes]:
    """Return the answer to a request that has little time; IdentityFailed if there is none."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await send(request)
    except TimeoutError:
        raise IdentityFailed(f"{where} did not answer within {PATIENCE:g} seconds", is_final=False) from None
    except (httpx.TransportError, OSError) as error:
        raise IdentityFailed(f"{where} is not reached: {error}", is_final=False) from None


async def _get(url: str, headers: Mapping[str, str], where: str, send: Send) -> bytes:
    request = httpx.Request("GET", url, headers=headers, extensions={"timeout": TIMEOUTS})
    status, _, data = await send_briefly(request, where, send)
    if status != 200:
        said = find_error(data)
        raise IdentityFailed(
            f"{where} gives no token: status {status}{f', {said}' if said else ''}; check the identity there",
            is_final=status < 500 and status not in PASSING,
        )
    return data


def _parse(data: bytes) -> JSON:
    try:
        return parse(data)
    except InvalidDocument:
        return None


def _read_start(path: str) -> bytes:
    with Path(path).open("rb") as file:
        return file.read(MOST_BYTES + 2)
