"""Shell scripts that write secrets, which a proxy's configuration must not hold."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from connector.gateway.export.plan import Caller, Header, Secret

__all__ = ["MARK", "check_caller", "check_secret", "comment_out", "shell_value", "token_variable"]

MARK = "#: "
CHECKS = r"""set -eu
wrong() { echo "$1" >&2; exit 1; }
checked() {  # NAME VALUE: of one line, and without what would need quoting
    case $2 in '' | *[![:print:]]* | *[\"\\]*) wrong "$1 is empty, or holds quotes, backslashes or line breaks" ;; esac
}
known() {  # NAME HASH TOKEN: a token that the configuration knows
    case $3 in *[!A-Za-z0-9_-]*) wrong "the token $1 holds more than letters, digits, - and _: make another one" ;; esac
    found=$(printf %s "$3" | sha256sum)
    test "sha256:${found%% *}" = "$2" || wrong "the token $1 has another hash than the configuration says"
}"""


def token_variable(caller: Caller) -> str:
    """Return the variable of a caller's token."""
    return f"GATEWAY_TOKEN_{re.sub(r'[^A-Za-z0-9]', '_', caller.name).upper()}"


def check_caller(caller: Caller) -> str:
    """Return the line that checks a caller's token."""
    return f'known {caller.slug} {caller.hash} "${{{token_variable(caller)}:?}}"'


def check_secret(secret: Secret) -> str:
    """Return the line that checks a secret and puts it into a variable of its name."""
    return f'{secret.name}={secret.shell}; checked {secret.name} "${secret.name}"'


def shell_value(header: Header) -> str:
    """Return the shell expression of a header's value."""
    return "".join(f'"${part.name}"' if isinstance(part, Secret) else shlex.quote(part) for part in header)


def comment_out(lines: list[str]) -> Iterator[str]:
    """Yield a script as comments that `sed` can extract."""
    for line in (*CHECKS.splitlines(), *lines):
        yield f"{MARK}{line}"
