"""What the start of a command leaves out, and what still works without it."""

from __future__ import annotations

import json
import subprocess
import sys

LOADED = """
import json, sys
from connector.cli.quick_start import import_beside, load_less
load_less()
import_beside("aiohttp")
from connector import Client
Client("openai", token="none-needed")
import aiohttp, httpx
print(json.dumps([sorted(sys.modules), callable(httpx.main), aiohttp.TCPConnector.__module__]))
"""


def test_libraries_are_whole_for_us_and_leave_out_their_own_commands() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    loaded, has_main, connector = json.loads(done.stdout)
    assert {"httpx", "aiohttp", "connector.http.client"} <= set(loaded)
    assert not {"click", "rich", "pygments"} & set(loaded)
    assert has_main, "httpx says by itself that its command is not there"
    assert connector == "aiohttp.connector"
