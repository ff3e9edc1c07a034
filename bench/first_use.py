"""Milliseconds from an operation's name to its first validated request, in a client that is already there."""

from __future__ import annotations

import time

import connector.request.prepare  # noqa: F401 - what every client has imported before it is asked for an operation
from connector import Client, Publisher

REQUEST = {"payload": {"model": "gpt-4.1-mini", "input": [{"role": "user", "content": "Where is my parcel?"}]}}


def main() -> None:
    client = Client("openai", token="none-needed")
    begun = time.perf_counter()
    publisher = Publisher(client, "beta responses", "create")
    client.prepare(publisher.operation, REQUEST)
    print((time.perf_counter() - begun) * 1000)


if __name__ == "__main__":
    main()
