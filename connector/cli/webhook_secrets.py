"""Files of signing secrets, as receivers read them: the newest first, with spaces between them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from connector.errors import ConfigurationError

__all__ = ["SecretFile"]

OWNER_ONLY = 0o600


class SecretFile:
    """A file that `${file:PATH}` reads for each webhook.

    Args:
        path: its place.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.parent.is_dir():
            raise ConfigurationError(f"--secret-file: there is no folder {str(path.parent)!r} to write the secret to")

    def read(self) -> list[str]:
        """Return the secrets in the file; none if there is no file yet."""
        try:
            return self.path.read_text(encoding="utf-8").split()
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"--secret-file: cannot read {str(self.path)!r}: {_describe(error)}") from None

    def require_empty(self) -> None:
        """Raise if the file holds a secret, which may be another endpoint's."""
        if self.read():
            raise ConfigurationError(
                f"--secret-file: {str(self.path)!r} holds a secret already; name another file, or `webhooks rotate` it"
            )

    def write(self, secrets: Sequence[str]) -> None:
        """Write the secrets whole; only the owner may read a new file."""
        from connector.aio.atomic_file import write_atomically

        try:
            write_atomically(self.path, f"{' '.join(secrets)}\n".encode(), mode=OWNER_ONLY)
        except OSError as error:
            raise ConfigurationError(f"--secret-file: cannot write {str(self.path)!r}: {_describe(error)}") from None


def _describe(error: OSError | UnicodeDecodeError) -> str:
    return (getattr(error, "strerror", None) or type(error).__name__).lower()
