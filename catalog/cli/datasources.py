"""Datasources of templates, as gomplate reads them: files, environment variables and addresses, by their type."""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from catalog.cli import downloads
from catalog.errors import EstateError
from catalog.stacks import documents, dotenv
from catalog.stacks.functions import decoded

_TYPES = {
    ".json": "application/json",
    ".yml": "application/yaml",
    ".yaml": "application/yaml",
    ".csv": "text/csv",
    ".toml": "application/toml",
    ".env": "application/x-env",
}


def read(alias: str, address: str, arguments: tuple[str, ...], directory: Path, environment: Mapping[str, str]) -> Any:
    """Return a datasource's data; raises EstateError where it can't be read."""
    url = urlsplit(address)
    path = unquote(url.path) + "".join(f"/{argument.lstrip('/')}" for argument in arguments if not argument.startswith("?"))
    asked = parse_qs(url.query).get("type", [""])[0]
    if url.scheme in {"http", "https"}:
        answer = downloads.fetch(address)
        content, told = answer.content, answer.headers.get("content-type", "").partition(";")[0].strip()
    elif url.scheme == "env":
        content, told = environment.get(path.strip("/") or url.netloc, "").encode(), "text/plain"
    elif url.scheme in {"", "file"}:
        content, told = _file(alias, directory / path), ""
    else:
        raise EstateError(f"couldn't read datasource '{alias}': {url.scheme} is not read here", code="DATASOURCE")
    return _parsed(content, asked or _TYPES.get(Path(path).suffix.lower()) or told or "text/plain", alias)


def _file(alias: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        words = f"couldn't read datasource '{alias}': stat {path}: {(error.strerror or str(error)).lower()}"
        raise EstateError(words, code="DATASOURCE") from error


def _parsed(content: bytes, kind: str, alias: str) -> Any:
    text = content.decode("utf-8", "replace")
    if kind.endswith(("/json", "+json")):
        value = decoded(text)
        if value is text:
            raise EstateError(f"couldn't parse datasource '{alias}' as JSON", code="DATASOURCE")
        return value
    if kind.endswith(("/yaml", "/x-yaml")):
        return documents.load(content, alias, tags=False).value
    if kind == "text/csv":
        return list(csv.reader(io.StringIO(text)))
    if kind == "application/toml":
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise EstateError(f"couldn't parse datasource '{alias}': {error}", code="DATASOURCE") from error
    return dotenv.variables(text) if kind == "application/x-env" else text
