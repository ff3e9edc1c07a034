"""What Airbyte's registry and tools ask of a connector beside its program: who it is, and its image."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from connector.aio.atomic_file import write_atomically
from connector.errors import ConfigurationError
from connector.hosts.airbyte.source import PAGE
from connector.model import JSON
from connector.version import version

__all__ = ["SIDES", "describe_connector", "write_packages"]

SIDES = ("source", "destination")
SUGGESTED = ("costs", "completions_usage", "files", "batches", "chat_completions", "fine_tuning_jobs", "vector_stores")
"""The streams that a new connection begins with, of a hundred."""
DOCKERFILE = """FROM {image}
ENV AIRBYTE_ENTRYPOINT="openai-connector airbyte {side}"
ENTRYPOINT ["openai-connector", "airbyte", "{side}"]
"""


def describe_connector(side: str, repository: str) -> dict[str, JSON]:
    """Return a connector's `metadata.yaml`.

    Args:
        side: source or destination.
        repository: where the images of both are, up to the name.
    """
    name = f"{side}-openai"
    about: dict[str, JSON] = {
        "name": "OpenAI",
        "definitionId": str(uuid5(NAMESPACE_OID, f"openai-connector airbyte {side}")),
        "connectorType": side,
        "connectorSubtype": "api",
        "dockerRepository": f"{repository}/{name}",
        "dockerImageTag": version(),
        "documentationUrl": PAGE,
        "githubIssueLabel": name,
        "license": "Apache-2.0",
        "releaseStage": "alpha",
        "supportLevel": "community",
        "tags": ["language:python"],
        "registryOverrides": {"oss": {"enabled": True}, "cloud": {"enabled": False}},
    }
    if side == "source":
        about |= {"allowedHosts": {"hosts": ["api.openai.com"]}, "suggestedStreams": {"streams": [*SUGGESTED]}}
    return {"metadataSpecVersion": "1.0", "data": about}


def write_packages(folder: Path, repository: str, image: str) -> Sequence[Path]:
    """Write a folder for the source and one for the destination; ConfigurationError when that is not possible.

    Args:
        image: what their images are made from.
    """
    written: list[Path] = []
    try:
        for side in SIDES:
            place = folder / f"{side}-openai"
            place.mkdir(parents=True, exist_ok=True)
            contents = {
                "metadata.yaml": _as_yaml(describe_connector(side, repository)),
                "Dockerfile": DOCKERFILE.format(image=image, side=side),
            }
            for name, text in contents.items():
                write_atomically(place / name, text.encode())
                written.append(place / name)
    except OSError as error:
        raise ConfigurationError(f"--into {folder}: {error.strerror}") from None
    return written


def _as_yaml(document: JSON) -> str:
    from ruamel.yaml import YAML

    text = StringIO()
    yaml: Any = YAML()
    yaml.dump(document, text)
    return text.getvalue()
