"""Shell scripts that write what a proxy must know and its configuration must not hold."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from connector.gateway.export.plan import Caller, Header, Source

__all__ = ["MARK", "checked", "commented", "known", "token_variable", "value"]

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
    """The variable in which the script finds a caller's token."""
    return f"GATEWAY_TOKEN_{re.sub(r'[^A-Za-z0-9]', '_', caller.name).upper()}"


def known(caller: Caller) -> str:
    """The line that checks a caller's token."""
    return f'known {caller.slug} {caller.hash} "${{{token_variable(caller)}:?}}"'


def checked(source: Source) -> str:
    """The line that checks a secret, which is a variable of its name from then on."""
    return f'{source.name}={source.shell}; checked {source.name} "${source.name}"'


def value(header: Header) -> str:
    """A header's value as a shell puts it together."""
    return "".join(f'"${part.name}"' if isinstance(part, Source) else shlex.quote(part) for part in header)


def commented(lines: list[str]) -> Iterator[str]:
    """A script as comments that `sed` can pick out."""
    for line in (*CHECKS.splitlines(), *lines):
        yield f"{MARK}{line}"
