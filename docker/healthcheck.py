"""Asks the gateway of this container whether it lives; exits 1 when it does not."""

from __future__ import annotations

import os
import ssl
import sys
from urllib.request import urlopen

URL = os.environ.get("OPENAI_CONNECTOR_HEALTH_URL", "https://127.0.0.1:8788/healthz")
# The certificate names the host that callers use, not this loopback address, and nothing secret is sent.
UNNAMED = ssl.create_default_context()
UNNAMED.check_hostname = False
UNNAMED.verify_mode = ssl.CERT_NONE

try:
    with urlopen(URL, timeout=3, context=UNNAMED if URL.startswith("https:") else None) as answer:
        sys.exit(0 if answer.status == 200 else 1)
except OSError as error:
    sys.exit(f"{URL}: {error}")
