"""`python -m tools.sdk --document openapi.json`: see `facts`."""

from __future__ import annotations

import sys

from tools.sdk.facts import main

if __name__ == "__main__":
    sys.exit(main())
