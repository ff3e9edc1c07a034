"""The studio: where it listens, and who may do what in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field

from connector.config.models.gateway import Tls, check_listen, is_hash, is_loopback
from connector.config.models.section import Entry, Names, Section, none_as_empty
from connector.errors import ConfigurationError

__all__ = ["Studio", "StudioToken"]


class StudioToken(Entry):
    """A token with which a person or a program may use the studio's API."""

    raw_hash: str = Field(
        validation_alias=AliasChoices("hash"),
        description="sha256: and the SHA-256 of the token in hexadecimal; the token itself is not stored.",
        repr=False,
    )
    role: Literal["viewer", "operator", "editor"] = Field(
        default="viewer",
        description="What it may do: a viewer looks; an operator also retries, skips, pauses and runs; an editor also"
        " changes the configuration.",
    )
    disabled: bool = Field(default=False, description="Whether it is ignored: kept in the file, and refused.")

    @property
    def hash(self) -> str:
        """The hash with its references replaced as they are now."""
        found = str(self.resolve(self.raw_hash, "hash", for_client=True))
        if not is_hash(found):
            raise ConfigurationError(
                "a studio token's hash is no hash; sha256: and 64 hexadecimal digits are needed;"
                " `openai-connector studio-token NAME` makes a token and its hash"
            )
        return found.lower()


class Studio(Section):
    """The studio: pages and an API to see, change and run what the configuration declares."""

    listen: Annotated[str, AfterValidator(check_listen)] = Field(
        default="127.0.0.1:8790", description="Address and port; an address other than loopback needs tls and tokens."
    )
    tls: Tls | None = Field(default=None, description="The certificate for HTTPS.")
    hosts: Names = Field(
        default=(),
        description="Host names by which browsers reach it, with their ports unless those are 80 and 443, in addition"
        " to the address that it listens on.",
    )
    serve: bool = Field(default=False, description="Whether `serve` also serves the studio, in the same process.")
    tokens: Annotated[dict[str, StudioToken], BeforeValidator(none_as_empty)] = Field(
        default_factory=dict[str, StudioToken], description="The tokens that may use it, by name."
    )

    @property
    def host(self) -> str:
        """The address to listen on."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port to listen on; 0 for any free one."""
        return int(self.listen.rpartition(":")[2])

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return is_loopback(self.host)

    @property
    def active_tokens(self) -> Mapping[str, StudioToken]:
        """The tokens that are not disabled."""
        return {name: token for name, token in self.tokens.items() if not token.disabled}
