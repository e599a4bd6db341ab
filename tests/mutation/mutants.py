"""The mutants of a SQL file with Jinja: small changes of the text, one place each.

The one library for this, pysqlmut 0.1, leaves out SQL with Jinja, because it changes the parsed statement. Here the text is changed, so that
macros have mutants too.

Comments and what stands in Jinja's braces are never changed. A place may contain a Jinja expression, such as a condition that is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

_TOKENS = re.compile(
    r"""(?P<block>\{%.*?%\})
    |(?P<jinja>\{\{.*?\}\})
    |(?P<comment>\{\#.*?\#\}|--[^\n]*|/\*.*?\*/)
    |(?P<type>numeric\s*\(\s*\d+\s*,\s*\d+\s*\))
    |(?P<text>'(?:\{\{.*?\}\}|\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`[^`]*`)
    |(?P<number>\d+\.\d+|\d+)
    |(?P<word>[A-Za-z_]\w*)
    |(?P<sign>=>|<=|>=|<>|!=|\|\||[^\s\w])""",
    re.DOTALL | re.VERBOSE,
)

#: The kinds of change.
OPERATORS = (
    *("and/or", "boolean", "boundary", "condition", "default", "distinct", "equality", "function"),
    *("join", "null", "number", "order", "sign", "union"),
)
_BOUNDARIES = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "=": "<>", "!=": "=", "<>": "=", "+": "-", "-": "+"}
_WORDS = {
    "and": "or",
    "or": "and",
    "true": "false",
    "false": "true",
    "desc": "asc",
    "asc": "desc",
    "first": "last",
    "last": "first",
}
_FUNCTIONS = {
    "min": "max",
    "max": "min",
    "min_by": "max_by",
    "max_by": "min_by",
    "least": "greatest",
    "greatest": "least",
    "logical_and": "logical_or",
    "logical_or": "logical_and",
    "lag": "lead",
    "lead": "lag",
}
_JOINS = {"left": "inner", "inner": "left", "full": "left"}
#: Keywords that end a condition or an ORDER BY at the same depth.
_CLAUSES = frozenset(
    [
        "select",
        "from",
        "where",
        "group",
        "order",
        "having",
        "qualify",
        "window",
        "limit",
        "union",
        "left",
        "inner",
        "full",
        "cross",
        "join",
        "on",
        "rows",
        "range",
        "when",
        "then",
        "else",
        "end",
    ]
)
#: Words before which nothing is complete, so that what follows belongs to the same expression.
_OPEN = frozenset(
    [
        "and",
        "or",
        "not",
        "on",
        "in",
        "is",
        "between",
        "like",
        "case",
        "when",
        "then",
        "else",
        "interval",
        "where",
        "having",
        "qualify",
        "by",
        "distinct",
    ]
)


@dataclass(frozen=True)
class Token:
    """A token of SQL. `text` is in lower case if it is a word; `depth` is the number of open parentheses around it."""

    kind: str
    text: str
    start: int
    end: int
    depth: int

    def is_operand_end(self) -> bool:
        return self.kind in {"jinja", "text", "number"} or self.text == ")" or (self.kind == "word" and self.text not in _OPEN)


@dataclass(frozen=True)
class Mutant:
    """One change of a file.

    Attributes:
        operator: the kind of change.
        start, end: the place in the file's text; equal if text is inserted.
        after: the text that replaces the place.
    """

    operator: str
    start: int
    end: int
    after: str


def mutants(sql: str) -> list[Mutant]:
    """All mutants of a file's text, in the order of their places."""
    tokens = _tokens(sql)
    found = {
        (mutant.start, mutant.end, mutant.after): mutant
        for mutant in (*_changed_tokens(tokens), *_dropped(tokens), *_reversed(tokens))
    }
    return sorted(found.values(), key=lambda mutant: (mutant.start, mutant.end, mutant.after))


def _tokens(sql: str) -> list[Token]:
    tokens: list[Token] = []
    depth = 0
    for match in _TOKENS.finditer(sql):
        kind = str(match.lastgroup)
        if kind == "comment":
            continue
        text = match[0].lower() if kind == "word" else match[0]
        depth -= text == ")"
        tokens.append(Token(kind, text, match.start(), match.end(), depth))
        depth += text == "("
    return tokens


def _changed_tokens(tokens: list[Token]) -> Iterator[Mutant]:
    """The mutants that replace one token or two."""
    end = Token("end", "", 0, 0, 0)
    betweens: list[int] = []
    for before, token, following in zip([end, *tokens], tokens, [*tokens[1:], end], strict=False):
        if token.text == "between":
            betweens.append(token.depth)
        elif token.text == "and" and betweens and betweens[-1] == token.depth:
            betweens.pop()
        elif token.text in {"+", "-"}:
            if before.is_operand_end():
                yield Mutant("sign", token.start, token.end, _BOUNDARIES[token.text])
        elif token.text in _BOUNDARIES:
            yield Mutant(
                "equality" if "=" in {token.text, _BOUNDARIES[token.text]} else "boundary",
                token.start,
                token.end,
                _BOUNDARIES[token.text],
            )
        elif token.kind == "number" and token.text.isdigit():
            yield Mutant("number", token.start, token.end, str(int(token.text) + 1))
            if int(token.text):
                yield Mutant("number", token.start, token.end, str(int(token.text) - 1))
        elif token.kind == "word":
            yield from _changed_word(before, token, following)


def _changed_word(before: Token, token: Token, following: Token) -> Iterator[Mutant]:
    if token.text in _FUNCTIONS and following.text == "(":
        yield Mutant("function", token.start, token.end, _FUNCTIONS[token.text])
    elif token.text in _JOINS and following.text == "join":
        yield Mutant("join", token.start, token.end, _JOINS[token.text])
    elif token.text in {"first", "last"} and before.text != "nulls":
        return
    elif token.text in _WORDS:
        yield Mutant(
            {"and": "and/or", "or": "and/or", "true": "boolean", "false": "boolean"}.get(token.text, "order"),
            token.start,
            token.end,
            _WORDS[token.text],
        )
    elif token.text == "is":
        if following.text == "not":
            yield Mutant("null", token.start, following.end, "is")
        elif following.text == "null":
            yield Mutant("null", token.start, token.end, "is not")
    elif token.text in {"all", "distinct"} and before.text == "union":
        yield Mutant("union", token.start, token.end, "distinct" if token.text == "all" else "all")


def _dropped(tokens: list[Token]) -> Iterator[Mutant]:
    """The mutants that drop a condition, the default of a coalesce, or the DISTINCT of a count."""
    for place, token in enumerate(tokens):
        following = tokens[place + 1 : place + 3]
        if token.kind != "word":
            continue
        if token.text in {"on", "where", "having", "qualify"}:
            conditions = list(_split(_clause(tokens, place + 1), "and"))
            if token.text != "on" or len(conditions) > 1:
                for condition in conditions:
                    yield Mutant("condition", condition[0].start, condition[-1].end, "true")
        elif token.text in {"coalesce", "ifnull"} and following and following[0].text == "(":
            *_, default = _split(_inside(tokens, place + 1), ",")
            yield Mutant("default", default[0].start, default[-1].end, "null")
        elif token.text == "count" and len(following) == 2 and following[0].text == "(":
            if following[1].text == "distinct":
                yield Mutant("distinct", following[1].start, following[1].end, "")
            elif following[1].text not in {"*", ")"}:
                yield Mutant("distinct", following[1].start, following[1].start, "distinct ")


def _reversed(tokens: list[Token]) -> Iterator[Mutant]:
    """The mutants that add DESC to an item of an ORDER BY without a direction."""
    for place, (token, following) in enumerate(pairwise(tokens)):
        if (token.text, following.text) != ("order", "by"):
            continue
        for item in _split(_clause(tokens, place + 2), ","):
            words = [part for part in item if part.text not in {"nulls", "first", "last"}]
            if words[-1].text not in {"asc", "desc"}:
                yield Mutant("order", words[-1].end, words[-1].end, " desc")


def _clause(tokens: list[Token], place: int) -> list[Token]:
    """The tokens of a condition, or of a list, that begins here: up to the next clause, closing parenthesis or Jinja block."""
    found: list[Token] = []
    if place >= len(tokens):
        return found
    depth, cases = tokens[place].depth, 0
    for token in tokens[place:]:
        cases += token.text == "case"
        if token.depth < depth or token.kind == "block" or token.text == ";":
            break
        if token.depth == depth:
            if not cases and token.text in _CLAUSES:
                break
            # A macro that stands alone, such as one that joins a table.
            if token.kind == "jinja" and found and found[-1].is_operand_end():
                break
        cases -= token.text == "end"
        found.append(token)
    return found


def _inside(tokens: list[Token], opening: int) -> list[Token]:
    """The tokens between a parenthesis and its end."""
    depth = tokens[opening].depth
    found: list[Token] = []
    for token in tokens[opening + 1 :]:
        if token.depth <= depth:
            break
        found.append(token)
    return found


def _split(tokens: list[Token], separator: str) -> Iterator[list[Token]]:
    """The parts of a list between separators. A chain with OR, or with Jinja blocks in it, is one part."""
    if not tokens:
        return
    depth = min(token.depth for token in tokens)
    top = [token for token in tokens if token.depth == depth]
    whole = separator == "and" and any(token.text in {"or", "between", "case"} for token in top)
    part: list[Token] = []
    for token in tokens:
        if token.text == separator and token.depth == depth and not whole:
            if part:
                yield part
            part = []
        else:
            part.append(token)
    if part:
        yield part
