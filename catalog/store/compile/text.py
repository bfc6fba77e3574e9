"""How columns and keys become JSON text, exactly as a GraphQL server would print them, by concatenation alone.

`jsonb_build_object` would cost more than twice as much; `to_json` of a time trims zeros and follows the session's time zone.
"""

from __future__ import annotations

from catalog.store.compile.source import Column, Format

# Control characters are always escaped inside JSON strings, so this byte can't occur in data: it marks what isn't data.
MARK = "\x01"
# Where a value goes that is worked out elsewhere, and what stands between the pieces of a list that is no JSON.
PLACE = "\x02"
SEPARATOR = "\x03"

_FORMATS = {
    Format.PLAIN: "'\"'||({x})||'\"'",
    Format.TEXT: "to_json({x})::text",
    Format.INT: "({x})::text",
    Format.BOOL: "({x})::text",
    Format.FLOAT: "(case when {x} = trunc({x}) then trunc({x})::text||'.0' else trim_scale({x})::text end)",
    Format.DECIMAL: "'\"'||trim_scale({x})::text||'\"'",
    Format.TIME: "'\"'||replace(to_char({x} at time zone 'UTC','YYYY-MM-DD\"T\"HH24:MI:SS.US'),'.000000','')||'+00:00\"'",
    Format.JSON: "({x})::text",
    Format.TEXTS: "to_json({x})::text",
}
_KEYS = {
    "text": "to_json({x})::text",
    "numeric": "'\"'||{x}||'\"'",
    "timestamptz": "(extract(epoch from {x})*1000000)::bigint::text",
}


def value(column: Column, sql: str) -> str:
    """Return the expression of a column's JSON text, given its filled-in expression; null becomes the text `null`."""
    written = _FORMATS[column.format].replace("{x}", sql)
    return f"coalesce({written},'null')" if column.nullable else written


def key(kind: str, sql: str) -> str:
    """Return the expression of a sort key's JSON text inside a cursor."""
    return _KEYS.get(kind, "({x})::text").replace("{x}", sql)


def literal(text: str) -> str:
    """Return a text as a constant."""
    return "'" + text.replace("'", "''") + "'"


def mark(number: int, detail: str | None = None) -> str:
    """Return the expression of a mark that names a fault, perhaps with a JSON text that only the rows know."""
    if detail is None:
        return f"E'\\x01{number};\\x01'"
    return f"E'\\x01{number};'||{detail}||E'\\x01'"


def place(number: int, row: str) -> str:
    """Return the expression of a place that names a value and the row it is of."""
    return f"E'\\x02{number};'||{row}||E'\\x02'"


class Concatenation:
    """Pieces of constant text and expressions, joined with as few operators as possible."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._constant = ""

    def text(self, constant: str) -> Concatenation:
        """Append constant text."""
        self._constant += constant
        return self

    def expression(self, sql: str) -> Concatenation:
        """Append an expression that is never null."""
        self._flush()
        self._pieces.append(sql)
        return self

    def sql(self) -> str:
        """Return the one expression."""
        self._flush()
        return "||".join(self._pieces) or "''"

    def _flush(self) -> None:
        if self._constant:
            self._pieces.append(literal(self._constant))
            self._constant = ""
