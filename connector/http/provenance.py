"""Where what a client adds to a request comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import SecretStr

from connector.http.configuration import environment_of, given_by_environment, secrets_of
from connector.http.parameters import Common
from connector.model import JSON

__all__ = ["Provenance"]


class Provenance:
    """Knows which parameter, and which variable, each value of a client was given by."""

    def __init__(self, parameters: Common, given: Mapping[str, JSON], environ: Mapping[str, str]) -> None:
        self._parameters = parameters
        self._from_environment = given_by_environment(type(parameters), given, environ)

    def secrets(self) -> dict[str, str]:
        """Each secret with the variable it may be named by."""
        known = dict.fromkeys(secrets_of(self._parameters), "")
        for name, value in self._texts():
            if value in known:
                known[value] = environment_of(type(self._parameters), name)[0]
        return known

    def origins(self, credentials: Mapping[str, str]) -> dict[str, str]:
        """What gave each header that the client adds."""
        found = {f"headers.{name.lower()}": "client parameter headers" for name in self._parameters.headers}
        for header, content in credentials.items():
            source = next((name for name, value in self._texts() if value and value in content), "")
            found[f"headers.{header.lower()}"] = self._source(source) if source else "client"
        return found

    def _source(self, name: str) -> str:
        variable = environment_of(type(self._parameters), name)[0]
        return f"client parameter {name}" + (f" (environment {variable})" if name in self._from_environment else "")

    def _texts(self) -> Iterator[tuple[str, str]]:
        """The parameters that are texts, secret or not."""
        for name in type(self._parameters).model_fields:
            value = getattr(self._parameters, name)
            if isinstance(value, SecretStr):
                yield name, value.get_secret_value()
            elif isinstance(value, str):
                yield name, value
