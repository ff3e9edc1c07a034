"""Removes secrets from everything that is shown: in every encoding and at every place."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from urllib.parse import unquote_plus

from connector.model import JSON, items, members
from connector.request.display import SECRET_NAME, SECRET_VALUE
from connector.request.long_secrets import LongSecrets, is_long
from connector.request.needles import UNCHANGED, Needles, encode_base64

__all__ = ["HIDDEN", "Redactor", "compile_pattern", "hide_credentials", "hide_secret_values"]

HIDDEN = "***"
MARKS = (
    *(f"{start}{end}" for start in ("sk", "ek", "sess", "rk", "ghp") for end in "-_"),
    "xox",
    "gw-",
    "earer ",
    "eyJ",
)
"""Without one of these a text holds no secret value; most texts hold none, and so need no pattern."""
PASSWORD = re.compile(r"(//[^/?#@:\s]*):[^/?#\s]*@")
"""A user's password in a URL; it may hold an `@` itself."""
SIGNED = re.compile(
    r"(?i)(x-(amz|goog)-(signature|credential|security-token)|sig|signature|sas|key|code|pwd|pass|passphrase"
    r"|ssl_?password|odbc_connect)"
)
"""Parameters of a query that carry a credential, beside those that are named after one."""
SHORTEST = 6
"""A shorter secret would hide half of every text."""
LONGEST_KNOWN = 40
MOST_KNOWN = 1000
"""The number of short texts whose result is kept: names and words that every line of a log repeats."""
Signs = tuple[str, ...]
"""A text as the patterns of its characters."""
NAMED = {'"': "quot", "'": "apos", "<": "lt", ">": "gt", "&": "amp", "/": "sol", "+": "plus", "=": "equals"}
ESCAPED = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}
NOWHERE = re.compile(r"(?!)")
DEEPEST = 40
"""Levels of a pattern; texts that share a longer beginning become alternatives."""


class Redactor:
    """Knows some secrets, and hides them plain, in base64, in URLs, in JSON, in HTML and in hexadecimal."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = frozenset(secret for secret in secrets if len(secret) >= SHORTEST)
        self._harmless: set[str] = set()
        self._others: list[Redactor] = []

    def __repr__(self) -> str:
        return f"Redactor({len(self._secrets)} secrets)"

    @property
    def secrets(self) -> frozenset[str]:
        """What is hidden; not to be shown."""
        return self._secrets

    def learn(self, secrets: Iterable[str]) -> None:
        """Hide these too from now on: a key that was replaced is still one."""
        given = frozenset(secret for secret in secrets if len(secret) >= SHORTEST)
        self._replace(self._secrets | given)
        for other in self._others:
            other.learn(given)

    def forget(self, secrets: Iterable[str]) -> None:
        """Hide these no longer: access tokens that have ended, of which a long run has ever more."""
        given = frozenset(secrets)
        self._replace(self._secrets - given)
        for other in self._others:
            other.forget(given)

    def pass_on_to(self, other: Redactor) -> None:
        """Let another redactor hide the same, also what is learned or forgotten from now on."""
        self._others.append(other)
        other.learn(self._secrets)

    def _replace(self, known: frozenset[str]) -> None:
        if known == self._secrets:
            return
        self._secrets = known
        for made in ("_pattern", "_long", "_needles"):
            self.__dict__.pop(made, None)
        # A new cache, not an emptied one: a thread that is searching a text now adds it to the old one.
        self._harmless = set()

    def __call__(self, text: str) -> str:
        """Return the text without the secrets, and without what looks like one."""
        harmless = self._harmless
        if text in harmless:
            return text
        shown = hide_secret_values(self.hide_known(text), HIDDEN)
        if "://" in shown:
            shown = PASSWORD.sub(rf"\1:{HIDDEN}@", shown)
        if len(text) <= LONGEST_KNOWN and shown == text and len(harmless) < MOST_KNOWN:
            harmless.add(text)
        return shown

    def hide_known(self, text: str) -> str:
        """Return the text without the secrets; what only looks like one stays as it is."""
        return self._long.hide(self._pattern.sub(HIDDEN, text), HIDDEN) if self._secrets else text

    def hide_known_in(self, value: JSON) -> JSON:
        """Return a JSON value without the secrets, in keys and texts; what only looks like one stays as it is."""
        if isinstance(value, str):
            return self.hide_known(value)
        if isinstance(value, dict):
            return {self.hide_known(key): self.hide_known_in(child) for key, child in members(value).items()}
        return [self.hide_known_in(child) for child in items(value)] if isinstance(value, list | tuple) else value

    def has_secret(self, data: bytes) -> bool:
        """Return whether these bytes contain one of the secrets, in any of its encodings."""
        if not self._secrets:
            return False
        text = data.decode("latin-1")
        return self._needles.may_be_in(text) and (self._pattern.search(text) is not None or self._long.is_in(text))

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return headers without the secrets, and without the values of those that are made for secrets."""
        return {name: self._redact_header(name, value) for name, value in headers.items()}

    def hide_in_raw_headers(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Return the headers of an answer that is passed on, without the secrets; as they are where they hold none."""
        if not self.has_secret(b"\n".join([value for _, value in headers])):
            return headers
        return [(name, self.hide_known(value.decode("latin-1")).encode("latin-1")) for name, value in headers]

    def hide_in_headers(self, headers: dict[str, str]) -> dict[str, str]:
        """Return the headers of an answer without the secrets; as they are where they hold none."""
        if not self.has_secret("\n".join(headers.values()).encode(errors="replace")):
            return headers
        return {name: self.hide_known(value) for name, value in headers.items()}

    def url(self, url: str) -> str:
        """Return a URL without its password, and without what its query says under a secret's name."""
        return self(hide_credentials(url))

    def value(self, value: JSON, name: str = "") -> JSON:
        """Return a JSON value without the secrets, and without values under a secret's name."""
        if isinstance(value, str):
            return HIDDEN if SECRET_NAME.search(name) else self(value)
        if isinstance(value, dict):
            return {self(key): self.value(child, key) for key, child in members(value).items()}
        return [self.value(child, name) for child in items(value)] if isinstance(value, list | tuple) else value

    def _redact_header(self, name: str, value: str) -> str:
        shown = self(value)
        return HIDDEN if shown == value and SECRET_NAME.search(name) else shown

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return compile_pattern(secret for secret in self._secrets if not is_long(secret))

    @cached_property
    def _needles(self) -> Needles:
        return Needles(self._secrets)

    @cached_property
    def _long(self) -> LongSecrets:
        return LongSecrets(secret for secret in self._secrets if is_long(secret))


def hide_secret_values(text: str, instead: str) -> str:
    """Return the text with something else in place of what looks like a key or a token."""
    for mark in MARKS:
        if mark in text:
            return SECRET_VALUE.sub(instead, text)
    return text


def hide_credentials(url: str, keep: Collection[str] = ()) -> str:
    """Return a URL without its password and the secret values of its query, but for those that hold one of `keep`."""
    address, mark, query = PASSWORD.sub(rf"\1:{HIDDEN}@", url).partition("?")
    query, hash_sign, fragment = query.partition("#")
    shown = "&".join(_hide_parameter(pair, keep) for pair in query.split("&"))
    return f"{address}{mark}{shown}{hash_sign}{fragment}"


def _hide_parameter(pair: str, keep: Collection[str]) -> str:
    """Return a parameter of a query, its value hidden where its name says that it is secret."""
    name, _, value = pair.partition("=")
    plain = unquote_plus(name)
    secret = SECRET_NAME.search(plain) or SIGNED.fullmatch(plain)
    return f"{name}={HIDDEN}" if secret and value and not any(text in value for text in keep) else pair


def compile_pattern(secrets: Iterable[str]) -> re.Pattern[str]:
    """Return what finds any of these secrets in a text, in every encoding, also in several at once.

    The patterns share their beginnings, so that a thousand of them take hardly longer to look for than one.
    """
    forms = {form for secret in secrets for form in _iter_forms(secret)}
    return re.compile(_join_forms(sorted(forms, key=len, reverse=True), 0)) if forms else NOWHERE


def _join_forms(forms: Sequence[Signs], depth: int) -> str:
    """Return the pattern of some forms, the longest first."""
    if len(forms) == 1 or depth > DEEPEST:
        return f"(?:{'|'.join(''.join(form) for form in forms)})"
    groups: dict[str, list[Signs]] = {}
    for form in forms:
        groups.setdefault(form[0] if form else "", []).append(form)
    return f"(?:{'|'.join(_join_group(group, depth) for group in groups.values())})"


def _join_group(forms: list[Signs], depth: int) -> str:
    """Return the pattern of forms that begin alike."""
    if len(forms) == 1:
        return "".join(forms[0])
    shortest = min(len(form) for form in forms)
    same = next((at for at in range(shortest) if any(form[at] != forms[0][at] for form in forms)), shortest)
    return "".join(forms[0][:same]) + _join_forms([form[same:] for form in forms], depth + 1)


def _iter_forms(secret: str) -> Iterator[Signs]:
    data = secret.encode(errors="surrogatepass")
    yield tuple(map(_match_letter, secret))
    yield tuple(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in data.hex())
    for lead in range(3):
        yield tuple(_match_base64(letter) for letter in encode_base64(data, lead))


def _match_base64(letter: str) -> str:
    other = {"+": "-", "/": "_"}.get(letter)
    return f"(?:{other}|{_match_letter(letter)})" if other else letter


def _match_letter(letter: str) -> str:
    """Return the pattern of one character in all its spellings."""
    if UNCHANGED.fullmatch(letter):
        return re.escape(letter)
    return f"(?:{'|'.join(dict.fromkeys(_iter_spellings(letter)))})"


def _iter_spellings(letter: str) -> Iterator[str]:
    data = letter.encode(errors="surrogatepass")
    yield r"\\{1,8}" if letter == "\\" else rf"\\{{0,8}}{re.escape(letter)}"
    yield "".join(rf"%(?:25){{0,4}}{_match_digits(f'{byte:02x}')}" for byte in data)
    yield rf"&(?:amp;){{0,4}}#0*(?:{ord(letter)}|[xX]0*{_match_digits(f'{ord(letter):x}')});"
    yield "".join(rf"\\{{1,8}}u{_match_digits(unit)}" for unit in _split_units(letter))
    for written in {data, letter.encode("latin-1", errors="ignore")}:
        yield "".join(rf"\\{{1,8}}x{_match_digits(f'{byte:02x}')}" for byte in written) or re.escape(letter)
    if letter in NAMED:
        yield f"&(?:amp;){{0,4}}{NAMED[letter]};"
    if letter in ESCAPED:
        yield rf"\\{{1,8}}{ESCAPED[letter]}"
    if letter == " ":
        yield r"\+"
    if not letter.isascii():
        yield re.escape(data.decode("latin-1"))


def _split_units(letter: str) -> list[str]:
    """Return the numbers by which JSON writes a character: two where one is not enough."""
    data = letter.encode("utf-16-be", errors="surrogatepass").hex()
    return [data[begin : begin + 4] for begin in range(0, len(data), 4)]


def _match_digits(number: str) -> str:
    """Return the pattern of a hexadecimal number in either case."""
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in number)
