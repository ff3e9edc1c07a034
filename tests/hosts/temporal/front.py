"""A proxy before Temporal's server that demands what Temporal Cloud does: TLS, a certificate of the client's, a key."""

from __future__ import annotations

import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from tests.hosts.judges import ROOT
from tests.hosts.temporal.rig import free_port
from tests.programs import needed

__all__ = ["CERTIFICATES", "KEY", "Front"]

CERTIFICATES = ROOT / "tests" / "http" / "certificates"
KEY = "tmprl-canary-0123456789abcdef"
TEMPORARY = "\n".join(f"{name}_temp_path t-{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))


class Front:
    """An nginx that passes on gRPC, at two addresses.

    Args:
        folder: where its files are.
        server: the address of Temporal's server.

    Attributes:
        with_key: the address at which the key is demanded.
        with_certificate: the address at which a certificate is.
    """

    def __init__(self, folder: Path, server: str) -> None:
        program = needed("nginx")
        self.with_key, self.with_certificate = (f"127.0.0.1:{free_port()}" for _ in range(2))
        certificate = CERTIFICATES / "good.pem"
        asks_key = f'if ($http_authorization != "Bearer {KEY}") {{ return 401; }}'
        asks_certificate = f"ssl_client_certificate {CERTIFICATES / 'client-ca.pem'}; ssl_verify_client on;"
        servers = [
            f"""server {{
                listen {address} ssl http2;
                ssl_certificate {certificate}; ssl_certificate_key {certificate}; {outside}
                location / {{ {inside} grpc_read_timeout 600s; grpc_pass grpc://{server}; }}
            }}"""
            for address, outside, inside in (
                (self.with_key, "", asks_key),
                (self.with_certificate, asks_certificate, ""),
            )
        ]
        file = folder / "nginx.conf"
        file.write_text(
            f"daemon off; master_process off; pid nginx.pid; error_log error.log; events {{}}\n"
            f"http {{ access_log off; {TEMPORARY}\n{' '.join(servers)} }}\n"
        )
        self._process = subprocess.Popen(
            [program, "-p", f"{folder}/", "-e", "error.log", "-c", str(file)], stderr=subprocess.DEVNULL
        )

        for address in (self.with_key, self.with_certificate):
            self._wait_for(address, folder)

    def _wait_for(self, address: str, folder: Path) -> None:
        """Return when an address is listened at."""
        host, _, port = address.partition(":")
        until = time.monotonic() + 60
        while True:
            with suppress(OSError), socket.create_connection((host, int(port)), timeout=5):
                return
            assert self._process.poll() is None, (folder / "error.log").read_text()[-2000:]
            assert time.monotonic() < until, f"nothing listens at {address}"
            time.sleep(0.02)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)
