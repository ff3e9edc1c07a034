"""The gateway's counts, from its metrics: of this process, or of another one on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import httpx
from prometheus_client.parser import text_string_to_metric_families

from connector.studio.context import StudioContext

__all__ = ["GatewayCounts", "read_counts"]

TOKEN = "OPENAI_CONNECTOR_GATEWAY_TOKEN"  # noqa: S105  the name of a variable
SECONDS = 2.0
PREFIX = "connector_gateway_"
Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class GatewayCounts:
    """What the metrics page says.

    Attributes:
        samples: labels and values by the names of samples, without their common prefix.
        why: why nothing is known; empty when it is.
    """

    samples: Mapping[str, list[tuple[Labels, float]]] = field(default_factory=dict[str, list[tuple[Labels, float]]])
    why: str = ""

    def of(self, name: str, **labels: str) -> Iterator[tuple[Labels, float]]:
        """Yield the samples of a name whose labels have these values."""
        for found, value in self.samples.get(name, ()):
            if labels.items() <= found.items():
                yield found, value


async def read_counts(context: StudioContext) -> GatewayCounts:
    """Return the counts of the gateway, asked at the address of the configuration unless it is in this process."""
    if context.gateway_metrics is not None:
        return _parse(context.gateway_metrics().decode())
    token = os.environ.get(TOKEN, "").strip()
    if not token:
        return GatewayCounts(
            why=f"the gateway runs in another process, if at all; with {TOKEN} set for both, its counts are read here"
        )
    settings = context.configuration.gateway
    scheme = "http" if settings.tls is None else "https"
    address = f"{scheme}://{settings.listen}/metrics"
    try:
        # The certificate is the configuration's own, for names of its own; the address is this machine's.
        async with httpx.AsyncClient(timeout=SECONDS, trust_env=False, verify=not settings.loopback) as http:
            answer = await http.get(address, headers={"authorization": f"Bearer {token}"})
    except httpx.HTTPError as error:
        return GatewayCounts(why=f"the gateway does not answer at {address}: {context.redactor(str(error))}")
    if not answer.is_success:
        return GatewayCounts(why=f"the gateway at {address} answers {answer.status_code}; is {TOKEN} its token?")
    return _parse(answer.text)


def _parse(text: str) -> GatewayCounts:
    samples: dict[str, list[tuple[Labels, float]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            name = sample.name.removeprefix(PREFIX)
            samples.setdefault(name, []).append((sample.labels, float(sample.value)))
    return GatewayCounts(samples)
