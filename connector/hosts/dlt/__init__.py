"""dlt: a source that reads the API's lists, one that reads incoming connections, and a destination that publishes rows.

Importing this imports dlt, which the extra `dlt` installs.
"""

from __future__ import annotations

from connector.extras import require_extra

require_extra("dlt", "dlt", "connector.hosts.dlt")

from connector.hosts.dlt.destination import publish_rows  # noqa: E402  dlt itself has to be there first
from connector.hosts.dlt.incoming import incoming_source  # noqa: E402
from connector.hosts.dlt.source import openai_source  # noqa: E402

__all__ = ["incoming_source", "openai_source", "publish_rows"]
