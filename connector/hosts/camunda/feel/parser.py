"""An expression, parsed into functions of its variables; what is not carried over is refused where it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from connector.hosts.camunda.feel.functions import FUNCTIONS, Function, Misused
from connector.hosts.camunda.feel.tokens import FeelFault, Token, read_tokens
from connector.hosts.camunda.feel.values import add, arithmetic, compare, conjunction, disjunction, equal, index, member
from connector.model import JSON, is_document
from connector.suggestions import closest, did_you_mean

__all__ = ["Expression", "parse_expression"]

Context = Mapping[str, JSON]
Evaluate = Callable[[Context], JSON]
DEEPEST = 60
"""Brackets and operators within each other."""
REFUSED = {
    "for": "loops over lists", "some": "`some … satisfies`", "every": "`every … satisfies`",
    "function": "functions of one's own", "instance": "`instance of`", "between": "`between`", "in": "`in`",
    "satisfies": "`satisfies`", "return": "loops over lists",
}  # fmt: skip
"""What FEEL has and these expressions have not."""
ADVICE = "write it in the element's mappings, which the cluster evaluates"
IS_DEFINED = "is defined"
LONGEST_NAME = max(len(name.split()) for name in FUNCTIONS)
WORDS = frozenset({*REFUSED, "and", "or", "if", "then", "else"})
LITERALS: Mapping[str, JSON] = {"true": True, "false": False, "null": None}
COMPARED = ("=", "!=", "<", "<=", ">", ">=")


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression.

    Attributes:
        texts: the literal texts in it.
    """

    text: str
    texts: frozenset[str]
    _evaluate: Evaluate = field(repr=False)

    def evaluate(self, variables: Context) -> JSON:
        """Return its value; FeelFault when a function is given what it cannot take."""
        return self._evaluate(variables)


def parse_expression(text: str) -> Expression:
    """Parse an expression, with or without the sign `=` before it; FeelFault says what is wrong, and where."""
    source = text.strip().removeprefix("=")
    parser = _Parser(source)
    evaluate = parser.whole()
    return Expression(source, frozenset(parser.texts), evaluate)


class _Parser:
    """Reads one expression from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(read_tokens(text))
        self._at = 0
        self._depth = 0
        self.texts: set[str] = set()

    def whole(self) -> Evaluate:
        found = self._expression()
        if self._next.kind != "end":
            self._refuse_word(self._next)
            raise self._fault(f"found {self._next.shown}", "an operator or the end is allowed")
        return found

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _fault(self, found: str, advice: str = "", token: Token | None = None) -> FeelFault:
        return FeelFault(self._text, (token or self._next).at, found, advice)

    def _take(self) -> Token:
        token = self._next
        self._at += token.kind != "end"
        return token

    def _is(self, *signs: str) -> bool:
        return self._next.kind in ("sign", "name") and self._next.text in signs

    def _expect(self, sign: str) -> None:
        if not self._is(sign):
            self._refuse_word(self._next)
            raise self._fault(f"found {self._next.shown}", f"{sign!r} is missing")
        self._take()

    def _refuse_word(self, token: Token) -> None:
        if token.kind == "name" and token.text in REFUSED:
            raise self._fault(f"{REFUSED[token.text]} is not carried over", ADVICE, token)
        if token.kind == "sign" and token.text in ("..", "->"):
            raise self._fault("ranges are not carried over", ADVICE, token)

    def _expression(self) -> Evaluate:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._fault(f"more than {DEEPEST} levels", "write it flatter")
        found = self._condition() if self._is("if") else self._binary(0)
        self._depth -= 1
        return found

    def _condition(self) -> Evaluate:
        self._take()
        test = self._expression()
        self._expect("then")
        positive = self._expression()
        self._expect("else")
        negative = self._expression()
        return lambda names: positive(names) if test(names) is True else negative(names)

    def _binary(self, level: int) -> Evaluate:
        """Read operators of one level and of those that bind more tightly."""
        if level == len(LEVELS):
            return self._power()
        signs, makes = LEVELS[level]
        left = self._binary(level + 1)
        while self._is(*signs):
            sign = self._take().text
            left = partial(_apply, makes(sign), left, self._binary(level + 1))
            if signs is COMPARED:
                break
        return left

    def _power(self) -> Evaluate:
        left = self._unary()
        while self._is("**"):
            self._take()
            left = partial(_apply, partial(arithmetic, "**"), left, self._unary())
        return left

    def _unary(self) -> Evaluate:
        if self._is("-"):
            self._take()
            self._depth += 1
            if self._depth > DEEPEST:
                raise self._fault(f"more than {DEEPEST} levels", "write it flatter")
            inner = self._unary()
            self._depth -= 1
            return lambda names: arithmetic("-", 0, inner(names))
        return self._path()

    def _path(self) -> Evaluate:
        found = self._primary()
        while self._is(".", "["):
            sign = self._take()
            if sign.text == ".":
                name = self._take()
                if name.kind != "name":
                    raise self._fault(f"found {name.shown}", "a name is allowed behind a point", name)
                found = partial(_member_of, found, name.text)
                continue
            found = self._item(found, sign)
        return found

    def _item(self, of: Evaluate, opening: Token) -> Evaluate:
        """Read the place of an item; a condition in its stead is a filter, and refused."""
        begin = self._at
        place = self._expression()
        inside = self._tokens[begin : self._at]
        if any(one.kind == "sign" and one.text in COMPARED for one in inside) or any(
            one.kind == "name" and one.text in ("and", "or", "item") for one in inside
        ):
            raise self._fault("filters of lists are not carried over", ADVICE, opening)
        self._expect("]")
        return partial(_apply, index, of, place)

    def _primary(self) -> Evaluate:
        token = self._take()
        self._refuse_word(token)
        if token.kind == "number":
            value: JSON = float(token.text) if not token.text.isdigit() else int(token.text)
            return lambda _: value
        if token.kind in ("string", "duration"):
            self.texts.add(token.text)
            return self._duration(token) if token.kind == "duration" else lambda _: token.text
        if token.kind == "name":
            return self._name(token)
        if token.text == "(" and token.kind == "sign":
            inner = self._expression()
            self._expect(")")
            return inner
        if token.text == "[" and token.kind == "sign":
            items = self._several("]")
            return lambda names: [one(names) for one in items]
        if token.text == "{" and token.kind == "sign":
            return self._context()
        raise self._fault(f"found {token.shown}", "a value is missing", token)

    def _duration(self, token: Token) -> Evaluate:
        value = FUNCTIONS["duration"].make(token.text)
        if value is None:
            raise self._fault(f"@{token.text!r} is no duration", "dates and times are not carried over", token)
        return lambda _: value

    def _name(self, token: Token) -> Evaluate:
        if token.text in LITERALS:
            return lambda _: LITERALS[token.text]
        known = self._function_name(token)
        if known is not None:
            return self._call(known, token)
        if token.text in WORDS:
            raise self._fault(f"found {token.shown}", "a value is missing", token)
        words, after = [token.text], self._at
        while self._tokens[after].kind == "name" and self._tokens[after].text not in WORDS - {"in", "function"}:
            words.append(self._tokens[after].text)
            after += 1
        if self._tokens[after].kind == "sign" and self._tokens[after].text == "(":
            self._at = after + 1
            return self._call(" ".join(words), token)
        return lambda names: names.get(token.text)

    def _function_name(self, token: Token) -> str | None:
        """Take the rest of a known function's name and its bracket; a name may have words such as `or` in it."""
        begin = self._at
        for length in range(LONGEST_NAME - 1, -1, -1):
            rest = self._tokens[begin : begin + length]
            name, end = " ".join([token.text, *(one.text for one in rest)]), begin + length
            if (name in FUNCTIONS or name == IS_DEFINED) and end < len(self._tokens) and self._tokens[end].text == "(":
                self._at = end + 1
                return name
        return None

    def _call(self, name: str, token: Token) -> Evaluate:
        if name == IS_DEFINED:
            return self._is_defined()
        function = FUNCTIONS.get(name)
        if function is None:
            meant = did_you_mean(closest(name, (*FUNCTIONS, IS_DEFINED)))
            raise self._fault(f"the function {name!r} is not carried over", meant or ADVICE, token)
        given = self._several(")")
        if not function.least <= len(given) <= function.most:
            takes = str(function.least) if function.least == function.most else f"{function.least} to {function.most}"
            raise self._fault(f"{name} is given {len(given)}", f"it takes {takes}", token)
        return partial(self._run, function, given, token)

    def _run(self, function: Function, given: Sequence[Evaluate], token: Token, names: Context) -> JSON:
        try:
            return function.make(*(one(names) for one in given))
        except Misused as error:
            raise self._fault(str(error), token=token) from None

    def _is_defined(self) -> Evaluate:
        """Read a name or a path, and say whether there is something."""
        token = self._next
        inner = self._expression()
        self._expect(")")
        path = [one.text for one in self._tokens[self._tokens.index(token) : self._at - 1]]
        if len(path) % 2 == 0 or any(sign != "." for sign in path[1::2]):
            return lambda names: inner(names) is not None

        def defined(names: Context) -> JSON:
            value: JSON = dict(names)
            for name in path[::2]:
                if not is_document(value) or name not in value:
                    return False
                value = value[name]
            return True

        return defined

    def _several(self, closing: str) -> list[Evaluate]:
        """Read values with commas between them."""
        found: list[Evaluate] = []
        while not self._is(closing):
            found.append(self._expression())
            if self._is(":"):
                raise self._fault("arguments by name are not carried over", "write them in their order")
            if not self._is(closing):
                self._expect(",")
        self._take()
        return found

    def _context(self) -> Evaluate:
        entries: list[tuple[str, Evaluate]] = []
        while not self._is("}"):
            name = self._take()
            if name.kind not in ("name", "string"):
                raise self._fault(f"found {name.shown}", "a name or a text is allowed before the colon", name)
            self._expect(":")
            entries.append((name.text, self._expression()))
            if not self._is("}"):
                self._expect(",")
        self._take()
        return partial(_make_context, entries)


def _apply(make: Callable[[JSON, JSON], JSON], left: Evaluate, right: Evaluate, names: Context) -> JSON:
    return make(left(names), right(names))


def _member_of(of: Evaluate, name: str, names: Context) -> JSON:
    return member(of(names), name)


def _make_context(entries: Sequence[tuple[str, Evaluate]], names: Context) -> JSON:
    """Return a context; an entry sees those before it."""
    made: dict[str, JSON] = {}
    for name, value in entries:
        made[name] = value({**names, **made})
    return made


def _compared(sign: str) -> Callable[[JSON, JSON], JSON]:
    if sign == "=":
        return equal
    if sign == "!=":
        return lambda one, other: None if (same := equal(one, other)) is None else not same
    return partial(compare, sign)


LEVELS: Sequence[tuple[tuple[str, ...], Callable[[str], Callable[[JSON, JSON], JSON]]]] = (
    (("or",), lambda _: disjunction),
    (("and",), lambda _: conjunction),
    (COMPARED, _compared),
    (("+", "-"), lambda sign: add if sign == "+" else partial(arithmetic, sign)),
    (("*", "/"), lambda sign: partial(arithmetic, sign)),
)
"""The operators, from those that bind least."""
