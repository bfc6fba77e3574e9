"""Plain values out as YAML text, to the letter as Go's yaml.v3 writes them with an indentation of two.

Atmos renders templates in such a text, so the quotes that a scalar gets here decide what its rendered form means. The rules are
those of yaml.v3's encoder and emitter: keys in natural order, block style throughout, no folded lines.
"""

from __future__ import annotations

import re
from functools import cmp_to_key, lru_cache
from typing import Any

from catalog.stacks import scalars

PLAIN, SINGLE, DOUBLE, LITERAL = "plain", "single", "double", "literal"

_OLD_BOOLEANS = frozenset("y Y yes Yes YES on On ON n N no No NO off Off OFF".split())  # noqa: SIM905 — a list of words reads best as words
_BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_SPECIAL = re.compile("[^\n\t\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]")
_BREAK = re.compile("[\n\r\x85\u2028\u2029]")
_INDICATORS = frozenset("#,[]{}&*!|>'\"%@`")
_FRACTION = re.compile("[.,]([0-9]{1,9})")
_ODD_BREAK = re.compile("[\u2028\u2029]")  # after one the emitter writes no line end of its own
_LINE_ENDS = ("\n", "\u2028", "\u2029")
_LONGEST_KEY = 128  # a longer one is written with `?`
_ESCAPES = {
    "\0": "0",
    "\a": "a",
    "\b": "b",
    "\t": "t",
    "\n": "n",
    "\v": "v",
    "\f": "f",
    "\r": "r",
    "\x1b": "e",
    '"': '"',
    "\\": "\\",
    "\x85": "N",
    "\xa0": "_",
    "\u2028": "L",
    "\u2029": "P",
}


class Record(dict[str, Any]):
    """A map that is printed in its own order, as Go prints structures; all others are printed by their keys."""


def encode(value: Any, *, is_guarded: bool = False) -> str:
    """Return a value of dicts, lists and scalars as a YAML document that ends with a line end.

    `is_guarded`: text with a single quote stands in double quotes, as Atmos writes it where a delimiter has such a quote.
    """
    lines: list[str] = []
    _Writer(lines, is_guarded=is_guarded).node(value, 0 if isinstance(value, (dict, list, tuple)) else 2, "")
    return "".join(line if line[-1:] in _LINE_ENDS else line + "\n" for line in lines)


@lru_cache(maxsize=65536)
def style(text: str) -> str:
    """Return the style in which a text stands as a value."""
    if "\n" in text:
        return LITERAL if _block_allowed(text) else DOUBLE
    if scalars.plain(text) != text or _is_base_60(text) or text in _OLD_BOOLEANS:
        return DOUBLE
    if plain_allowed(text):
        return PLAIN
    return SINGLE if _single_allowed(text) else DOUBLE


def plain_allowed(text: str) -> bool:
    """Tell whether a text of one line can stand without quotes in block style; what it then means is another question."""
    if not text:
        return True
    first = text[0]
    if first in _INDICATORS or (first in "?:-" and (len(text) == 1 or text[1] in " \t")):
        return False
    return not (
        text.startswith(("---", "..."))
        or first == " "
        or text[-1] == " "
        or text[-1] == ":"
        or ": " in text
        or ":\t" in text
        or " #" in text
        or "\t" in text
        or _BREAK.search(text)
        or _SPECIAL.search(text)
    )


def is_printable(text: str) -> bool:
    """Tell whether a text stands in a document as it is, apart from what its line ends mean."""
    return _SPECIAL.search(text) is None


def is_one_clean_line(text: str) -> bool:
    """Tell whether a text has no line end and nothing that a document can't hold."""
    return (text.isascii() and text.isprintable()) or not (_BREAK.search(text) or _SPECIAL.search(text))


def scalar(text: str, indent: int, *, is_key: bool = False) -> str:
    """Return a text as it stands in a document; `indent` is that of the lines of a literal block."""
    chosen = style(text)
    if chosen == LITERAL:
        return double_quoted(text) if is_key else _literal(text, indent)
    if chosen == PLAIN:
        return text if text or not is_key else "''"
    return single_quoted(text, indent) if chosen == SINGLE else double_quoted(text)


def single_quoted(text: str, indent: int = 0) -> str:
    """Return a text in single quotes; the lines that odd line ends begin are indented."""
    if _ODD_BREAK.search(text):
        text = re.sub("([\u2028\u2029])(?=[^\u2028\u2029])", rf"\1{' ' * indent}", text)
    return "'" + text.replace("'", "''") + "'"


def double_quoted(text: str) -> str:
    """Return a text in double quotes, with everything unprintable escaped as the emitter does."""
    if text[:1] == "\ufeff":  # the emitter looks for the mark at the start of the text, whatever character it writes
        return '"' + "".join("\\" + _ESCAPES[mark] if mark in _ESCAPES else _coded(mark) for mark in text) + '"'
    return '"' + "".join(_escaped(mark) for mark in text) + '"'


def _escaped(mark: str) -> str:
    if mark in '"\\' or _BREAK.match(mark) or mark == "\ufeff" or (mark == "\t" or _SPECIAL.match(mark)):
        if mark in _ESCAPES:
            return "\\" + _ESCAPES[mark]
        return _coded(mark)
    return mark


def _coded(mark: str) -> str:
    code = ord(mark)
    return f"\\x{code:02X}" if code <= 0xFF else f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def _is_base_60(text: str) -> bool:
    return ":" in text and _BASE_60.fullmatch(text) is not None


def _single_allowed(text: str) -> bool:
    return not ("\t" in text or _SPECIAL.search(text) or re.search("[\n\r\x85\u2028\u2029] | [\n\r\x85\u2028\u2029]", text))


def _block_allowed(text: str) -> bool:
    return not (text.endswith(" ") or re.search(" [\n\r\x85\u2028\u2029]", text) or _SPECIAL.search(text))


def _literal(text: str, indent: int) -> str:
    head = "|" + ("2" if text[0] == " " or text[0] in _LINE_ENDS else "")
    if text[-1] not in _LINE_ENDS:
        head += "-"
    elif len(text) == 1 or text[-2] in _LINE_ENDS:
        head += "+"
    pad = " " * indent
    if _ODD_BREAK.search(text):
        return head + _odd_lines(text, pad)
    lines = text.split("\n")
    if not lines[0]:
        del lines[0]  # the emitter takes a leading line end for the one that ends the header
    return head + "".join("\n" + (pad + line if line else "") for line in lines)


def _odd_lines(text: str, pad: str) -> str:
    """Return the lines of a literal block where some end in the odd way, with the last one's own line end."""
    written: list[str] = []
    begins = True
    for mark in text:
        if mark in _LINE_ENDS:
            begins = True
        elif begins:
            if not written:
                written.append("\n")
            written.append(pad)
            begins = False
        written.append(mark)
    return "".join(written)


class _Writer:
    """Writes one document's lines."""

    def __init__(self, lines: list[str], *, is_guarded: bool) -> None:
        self.lines = lines
        self.is_guarded = is_guarded

    def node(self, value: Any, indent: int, lead: str) -> None:
        """Write a value whose first line begins with `lead`, which stands at the indentation already."""
        if isinstance(value, dict):
            self._map(value, indent, lead)
        elif isinstance(value, (list, tuple)):
            self._list(value, indent, lead)
        else:
            self.lines.append(lead + (self._text(value, indent) if isinstance(value, str) else _leaf(value)))

    def _text(self, text: str, indent: int, *, is_key: bool = False) -> str:
        return double_quoted(text) if self.is_guarded and "'" in text else scalar(text, indent, is_key=is_key)

    def _map(self, value: dict[str, Any], indent: int, lead: str) -> None:
        if not value:
            self.lines.append(lead + "{}")
            return
        pad = " " * indent
        for key in value if type(value) is Record else ordered(value):
            start, lead = lead or pad, ""
            name = self._text(key, 0, is_key=True)
            item = value[key]
            if len(name) > _LONGEST_KEY or _BREAK.search(key):
                self.lines.append(f"{start}? {self._text(key, indent + 2)}")
                self.node(item, indent + 2, pad + ": ")
            elif isinstance(item, (dict, list, tuple)) and item:
                self.lines.append(f"{start}{name}:")
                self.node(item, indent + 2, "")
            else:
                self.node(item, indent + 2, f"{start}{name}: ")

    def _list(self, value: Any, indent: int, lead: str) -> None:
        if not value:
            self.lines.append(lead + "[]")
            return
        pad = " " * indent
        for item in value:
            start, lead = lead or pad, ""
            self.node(item, indent + 2, start + "- ")


def _leaf(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return float_text(value)
    if isinstance(value, scalars.Timestamp):
        return moment(value)
    return str(value)


def moment(value: scalars.Timestamp) -> str:
    """Return a moment as Go's RFC 3339 with the fraction that it has."""
    text = value.moment.replace(microsecond=0, tzinfo=None).isoformat()
    fraction = _FRACTION.search(value.text)
    if fraction:
        text += f".{fraction[1]}".rstrip("0.")
    offset = value.moment.strftime("%z")
    return text + ("Z" if offset in ("", "+0000") else f"{offset[:3]}:{offset[3:]}")


def float_text(value: float) -> str:
    """Return a float as it stands in a document: as Go prints it, but for the spelling of the three that are no numbers."""
    shown = scalars.printed_float(value)
    return {"NaN": ".nan", "+Inf": ".inf", "-Inf": "-.inf"}.get(shown, shown)


def ordered(keys: Any) -> list[str]:
    """Return keys in yaml.v3's natural order: letters after other marks, digits by the number they make."""
    return sorted(keys, key=_natural) if len(keys) > 1 else list(keys)


@cmp_to_key
def _natural(one: str, other: str) -> int:
    if one == other:
        return 0
    return -1 if _less(one, other) else 1


def _less(one: str, other: str) -> bool:
    digits = False
    for position, (a, b) in enumerate(zip(one, other, strict=False)):
        if a == b:
            digits = a.isdigit()
            continue
        if a.isalpha() and b.isalpha():
            return a < b
        if a.isalpha() or b.isalpha():
            return a.isalpha() if digits else b.isalpha()
        return _less_number(one, other, position)
    return len(one) < len(other)


def _less_number(one: str, other: str, position: int) -> bool:
    a, b = one[position], other[position]
    lead = ""
    if a == "0" or b == "0":
        before = position - 1
        while before >= 0 and one[before].isdigit():
            if one[before] != "0":
                lead = "1"
                break
            before -= 1
    first, second = _digits(one, position), _digits(other, position)
    left, right = int(lead + first or "0"), int(lead + second or "0")
    if left != right:
        return left < right
    if len(first) != len(second):
        return len(first) < len(second)
    return a < b


def _digits(text: str, position: int) -> str:
    end = position
    while end < len(text) and text[end].isdigit():
        end += 1
    return text[position:end]
