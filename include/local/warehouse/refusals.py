"""Refuses statements that BigQuery refuses and DuckDB or its translator would accept: the simple cases, found in the tokens.

Only Google's analyzer (`make check-google`) decides whether BigQuery accepts a statement; see docs/adr/0018.
"""

from pathlib import Path
from typing import Any

from bqemulator.domain.errors import InvalidQueryError
from bqemulator.jobs import executor
from sqlglot.dialects.bigquery import BigQuery
from sqlglot.errors import TokenError
from sqlglot.tokens import Token, TokenType

#: BigQuery's functions: those in the list of Google's analyzer, its types, and those that only BigQuery's documentation lists.
_FUNCTIONS = frozenset(Path(__file__).with_name("functions.txt").read_text().upper().split())
#: https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical#reserved_keywords
_RESERVED_WORDS = """
    ALL AND ANY ARRAY AS ASC ASSERT_ROWS_MODIFIED AT BETWEEN BY CASE CAST COLLATE CONTAINS CREATE CROSS CUBE CURRENT DEFAULT
    DEFINE DESC DISTINCT ELSE END ENUM ESCAPE EXCEPT EXCLUDE EXISTS EXTRACT FALSE FETCH FOLLOWING FOR FROM FULL GROUP GROUPING GROUPS
    HASH HAVING IF IGNORE IN INNER INTERSECT INTERVAL INTO IS JOIN LATERAL LEFT LIKE LIMIT LOOKUP MERGE NATURAL NEW NO NOT NULL NULLS
    OF ON OR ORDER OUTER OVER PARTITION PRECEDING PROTO QUALIFY RANGE RECURSIVE RESPECT RIGHT ROLLUP ROWS SELECT SET SOME STRUCT
    TABLESAMPLE THEN TO TREAT TRUE UNBOUNDED UNION UNNEST USING WHEN WHERE WINDOW WITH WITHIN
"""
_RESERVED = frozenset(_RESERVED_WORDS.split())
#: Reserved words that may not follow AS. The others may: they begin a query or a type in CAST, or belong to FOR SYSTEM_TIME AS OF.
_NO_ALIASES = _RESERVED - {"SELECT", "WITH", "STRUCT", "ARRAY", "INTERVAL", "RANGE", "OF"}
#: The words with which a statement of GoogleSQL or of its procedural language may begin.
_BEGINNING_WORDS = """
    ( ALTER ASSERT BEGIN BREAK CALL CASE COMMIT CONTINUE CREATE DECLARE DELETE DROP ELSE ELSEIF END EXECUTE EXPORT FOR GRANT IF
    INSERT ITERATE LEAVE LOOP MERGE RAISE REPEAT RETURN REVOKE ROLLBACK SELECT SET TRUNCATE UNDROP UNTIL UPDATE WHEN WHILE WITH
"""
_BEGINNINGS = frozenset(_BEGINNING_WORDS.split())
#: Operators of DuckDB.
_OPERATORS = frozenset({"::", "->", "->>", "%", "//", "{", "**", "==", "^@", "@>", "<@", "~~"})
_WORDS = frozenset({"ILIKE", "GLOB"})
#: After these words, a name and a bracket are no function call: `create table t (x int64)`, `insert into t (x)`.
_NAMING = frozenset({"TABLE", "INTO", "FUNCTION", "PROCEDURE", "EXISTS", "INSERT", "UPDATE", "MERGE", "REFERENCES", "VIEW"})
#: Keywords that a bracket may follow.
_SYNTAX = frozenset({"KEY", "OFFSET", "OPTIONS", "ORDINAL", "SAFE_OFFSET", "SAFE_ORDINAL", "VALUES"})

_LITERALS = frozenset(
    {TokenType.STRING, TokenType.IDENTIFIER, TokenType.RAW_STRING, TokenType.HEREDOC_STRING, TokenType.BYTE_STRING}
)


def refusal(sql: str) -> str | None:
    """BigQuery's message if it would refuse the statement or script; None if these rules find nothing."""
    try:
        tokens = BigQuery().tokenize(sql)
    except TokenError:
        return None  # the parser has the better message
    words = [token.text.upper() for token in tokens]
    own = {words[at + 1] for at in range(len(tokens) - 1) if words[at] == "FUNCTION"}
    begins = True
    for at, token in enumerate(tokens):
        word = words[at]
        kind = token.token_type
        following = words[at + 1] if at + 1 < len(tokens) else ""
        if kind not in _LITERALS:
            if begins and word != ";" and word.partition(" ")[0] not in _BEGINNINGS:
                return f"Syntax error: Unexpected {_named(word)} at {_place(token)}"
            if word in _OPERATORS or word in _WORDS or (word == following == "/" and _touch(token, tokens[at + 1])):
                return f'Syntax error: Unexpected "{token.text}" at {_place(token)}'
            if word == "AS" and following in _NO_ALIASES and tokens[at + 1].token_type not in _LITERALS:
                return f"Syntax error: Unexpected keyword {following} at {_place(tokens[at + 1])}"
            if kind == TokenType.VAR and following == "(" and not _is_known(word, words[at - 1] if at else "", own):
                return f"Function not found: {token.text} at {_place(token)}"
        begins = kind == TokenType.SEMICOLON or (begins and kind == TokenType.L_PAREN)
    return None


def _is_known(name: str, before: str, own: set[str]) -> bool:
    return name in _FUNCTIONS or name in _SYNTAX or before == "." or before in _NAMING or name in own


def _touch(one: Token, other: Token) -> bool:
    return bool(one.end + 1 == other.start)


def _named(word: str) -> str:
    return f"keyword {word}" if word in _RESERVED else f'identifier "{word.lower()}"'


def _place(token: Token) -> str:
    return f"[{token.line}:{token.col - len(token.text) + 1}]"


_parse_script = executor._parse_script_or_raise


def _parse_script_of_bigquery(sql: str) -> Any:
    found = refusal(sql)
    if found is not None:
        raise InvalidQueryError(found, location="query")
    return _parse_script(sql)


def refuse() -> None:
    """Switch the refusals on, in this process."""
    executor._parse_script_or_raise = _parse_script_of_bigquery
