"""The parameter `identity`: where a workload's own token comes from, and whom it acts as."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, Self

from pydantic import Field, model_validator

from connector.http.sections import HeaderText, Section, Wait

__all__ = ["PLACEHOLDER", "PLATFORMS", "ClientCredentials", "Identity", "Source"]

PLACEHOLDER = "access-token-of-the-workload-identity"
"""Stands in headers until a request goes out; then the access token takes its place."""
KUBERNETES_FILE = "/var/run/secrets/kubernetes.io/serviceaccount/token"
AZURE_FILE = "/var/run/secrets/azure/tokens/azure-identity-token"
AUDIENCE = "https://api.openai.com/v1"
RESOURCE = "https://management.azure.com/"
EXCHANGE = "https://auth.openai.com/oauth/token"
CERTIFICATE_EXCHANGE = "https://mtls.auth.openai.com/oauth/token"
AZURE_SERVICE = "http://169.254.169.254"
GCP_SERVICE = "http://metadata.google.internal"
PLATFORMS = (AZURE_SERVICE, GCP_SERVICE)

Source = Literal["kubernetes", "azure", "azure-federated", "gcp", "file", "command", "certificate"]
FIELDS: dict[Source, tuple[str, ...]] = {
    "kubernetes": ("token_file",),
    "azure": ("resource", "client_id", "object_id", "resource_id", "metadata_uri"),
    "azure-federated": ("token_file",),
    "gcp": ("audience", "metadata_uri"),
    "file": ("token_file", "token_type"),
    "command": ("command", "token_type"),
    "certificate": (),
}
"""The parameters that a source has beside those of all."""
NEEDED: dict[Source, tuple[str, ...]] = {"file": ("token_file",), "command": ("command",)}
FILES: dict[Source, str] = {"kubernetes": KUBERNETES_FILE, "azure-federated": AZURE_FILE}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentials:
    """What an authority gives access tokens for.

    Attributes:
        token_uri: where it gives them.
        audience: whom they are for, where the authority asks.
    """

    token_uri: str
    client_id: str
    client_secret: str = field(repr=False)
    audience: str | None = None
    scope: str | None = None
    refresh_before: float = 60.0


class Identity(Section):
    """A workload's identity, which is exchanged for short-lived access tokens."""

    source: Source = Field(
        description="Where the workload's own token comes from: a projected service-account token (kubernetes), a "
        "managed identity (azure), a federated token file (azure-federated), the metadata server (gcp), any file or "
        "command, or the client's certificate alone."
    )
    identity_provider_id: HeaderText = Field(
        min_length=1, description="The workload identity provider that trusts the token's issuer."
    )
    service_account_id: HeaderText = Field(min_length=1, description="The service account that calls are made as.")
    token_file: str | None = Field(
        default=None,
        description="A file with the token, read again for each exchange; the platform's own by default.",
    )
    command: tuple[str, ...] = Field(
        default=(), description="A program and its arguments, without a shell; it prints the token."
    )
    token_type: Literal["jwt", "id"] = Field(default="jwt", description="The kind of a file's or a command's token.")
    audience: str | None = Field(default=None, description=f"Whom Google's token is for; {AUDIENCE} unless given.")
    resource: str | None = Field(default=None, description=f"What Azure's token is for; {RESOURCE} unless given.")
    client_id: str | None = Field(default=None, description="The managed identity, where a machine has several.")
    object_id: str | None = Field(default=None, description="The same by its object.")
    resource_id: str | None = Field(default=None, description="The same by its resource.")
    metadata_uri: str | None = Field(
        default=None, description="Where the metadata service is, if it is not at the platform's own address."
    )
    exchange_uri: str | None = Field(
        default=None, description=f"Where tokens are exchanged; {EXCHANGE} unless given, its mTLS host for certificate."
    )
    refresh_before: Wait = Field(
        default=1200.0,
        description="Seconds before its end in which an access token is replaced; at most half of its life.",
    )

    @model_validator(mode="after")
    def _fits_its_source(self) -> Self:
        faults = list(self._iter_faults())
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _iter_faults(self) -> Iterator[str]:
        own, source = FIELDS[self.source], self.source
        for name in NEEDED.get(source, ()):
            if not getattr(self, name):
                yield f"the source {source} needs {name}"
        every = dict.fromkeys(name for names in FIELDS.values() for name in names)
        if misplaced := [name for name in every if name in self.model_fields_set and name not in own]:
            takes = f"it takes {', '.join(own)}" if own else "it takes nothing more"
            yield f"the source {source} has no {', '.join(misplaced)}; {takes}"
        given = [name for name in ("client_id", "object_id", "resource_id") if getattr(self, name)]
        if len(given) > 1:
            yield f"{' and '.join(given)} are given: one of them names the managed identity"

    @property
    def file(self) -> str:
        """The file that a source of that kind reads."""
        return self.token_file or FILES.get(self.source, "")

    @property
    def asks_platform(self) -> bool:
        """Whether the platform's metadata service is asked."""
        return self.source in ("azure", "gcp")

    @property
    def exchange(self) -> str:
        """Where tokens are exchanged."""
        return self.exchange_uri or (CERTIFICATE_EXCHANGE if self.source == "certificate" else EXCHANGE)

    @property
    def service(self) -> str:
        """Where the platform's metadata service is."""
        return (self.metadata_uri or (AZURE_SERVICE if self.source == "azure" else GCP_SERVICE)).rstrip("/")
