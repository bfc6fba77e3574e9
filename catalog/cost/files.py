"""Opens files of costs: plain or gzip, by what they begin with; as a stream, so that a file may be larger than memory.

A stream that ends too early or is damaged raises `Invalid`: half a file is never taken for a whole one.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from catalog.errors import Invalid, Unavailable

_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 18  # bytes
_LONGEST = 1 << 20  # bytes of one line: more is no row of charges but a file of another kind
_LARGEST = 64 << 20  # bytes of a document that is read as a whole


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading; raises Unavailable when it can't be read. Its position tells how far it is."""
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise Unavailable(f"can't read {path.name}: {error.strerror or error}") from error


def lines(file: IO[bytes]) -> Lines:
    """The lines of a text file, as they are read."""
    return Lines(chunks(file))


def whole(file: IO[bytes]) -> str:
    """A document as a whole; raises Invalid for one that is too large to be one, or no UTF-8."""
    body = bytearray()
    for chunk in chunks(file):
        body += chunk
        if len(body) > _LARGEST:
            raise Invalid(f"the document has more than {_LARGEST >> 20} MiB", hint="split it")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid("the document is not UTF-8", hint="is it of another format?") from error


def chunks(file: IO[bytes]) -> Iterator[bytes]:
    """The bytes of a file, unpacked where it is gzip; raises Invalid where it is cut off or damaged."""
    begins = file.read(2)
    file.seek(0)
    if begins != _GZIP:
        while chunk := file.read(_CHUNK):
            yield chunk
        return
    try:
        with gzip.GzipFile(fileobj=file) as unpacked:
            while chunk := unpacked.read(_CHUNK):
                yield chunk
    except EOFError as error:
        raise cut_off() from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise Invalid(f"the file is damaged: {error}", hint="fetch it again; nothing of it was imported") from error


def cut_off(row: int | None = None) -> Invalid:
    """The error of a file that ends too early."""
    place = "" if row is None else f" of row {row}"
    return Invalid(f"the file ends in the middle{place}", hint="fetch it again; nothing of it was imported")


class Lines(Iterator[str]):
    """The lines of a text file with their line breaks; `is_ended` tells whether the last one so far had its own."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._lines = _split(pieces)
        self._first = True
        self.is_ended = True

    def __next__(self) -> str:
        """Return the next line; bytes that are no UTF-8 become U+FFFD, as NUL does, which the database can't hold."""
        line = next(self._lines)
        self.is_ended = line.endswith(b"\n")
        text = line.decode("utf-8", "replace")
        if self._first:
            self._first, text = False, text.removeprefix("\ufeff")
        return text.replace("\0", "\ufffd") if "\0" in text else text


def _split(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Split by line feeds alone: a carriage return may end a piece whose line feed begins the next."""
    rest = b""
    for piece in pieces:
        found = (rest + piece).split(b"\n")
        rest = found.pop()
        if len(rest) > _LONGEST:
            raise Invalid(f"a line has more than {_LONGEST >> 10} KiB", hint="is the file of another format?")
        for line in found:
            yield line + b"\n"
    if rest:
        yield rest
