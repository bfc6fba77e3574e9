"""The configuration of a process, read from the environment once and handed on as a frozen value.

Nobody else looks at the environment. Secrets print as stars.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from catalog.errors import WrongUse

# Keys whose values never reach the graph, whatever wrote them; matched against the last part of a path, case-insensitively.
DEFAULT_SECRET_KEYS = (
    r"(^|[_-])(password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential|client[_-]?secret)s?$"  # noqa: S105 — a pattern that finds secrets, not one of them
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Where things are and how this process behaves.

    `home` holds everything the catalog writes: the embedded database, managed repositories, state, tokens. `database_url` of None
    means the embedded Postgres below `home`. `url` is where commands that act through the graph find it.
    """

    home: Path
    host: str = "127.0.0.1"
    port: int = 8000
    url: str = "http://127.0.0.1:8000"
    database_url: str | None = field(default=None, repr=False)
    database_read_url: str | None = field(default=None, repr=False)
    database_direct_url: str | None = field(default=None, repr=False)
    database_pooled: bool = False
    cors_origins: tuple[str, ...] = ()  # of pages that may call the graph with a bearer token
    rate_factor: float | None = 1.0  # of what a minute brings a viewer of the graph; None: there is no end to it
    trusted_documents: Path | None = None  # documents of the graph that clients name by id
    trusted_only: bool = False  # whether nobody but admins has other documents answered
    policy_servers: tuple[str, ...] = ()  # origins of OPA servers that workflows of estates may name
    federation: bool = False  # whether the graph answers a gateway of Apollo Federation 2 too
    token: str | None = field(default=None, repr=False)
    secret_keys: str = DEFAULT_SECRET_KEYS
    seeds: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)  # for references to secrets alone

    def secret(self, reference: str | None) -> str | None:
        """The secret that a reference leads to, without line breaks at its end; None when there is none. May read a file: blocks."""
        if reference is None:
            return None
        kind, _, where = reference.partition(":")
        if kind == "env":
            return self.environment.get(where) or None
        try:
            return Path(where).read_text(encoding="utf-8").rstrip("\r\n") or None
        except (OSError, UnicodeDecodeError):
            return None

    @property
    def token_file(self) -> Path:
        """Where `catalog up` writes the local admin's token, readable by its owner alone."""
        return self.home / "token"

    @property
    def repositories(self) -> Path:
        """Bare clones of the estates, one directory each."""
        return self.home / "repositories"

    @property
    def state(self) -> Path:
        """Terraform state of the local backend: never inside a clone or checkout."""
        return self.home / "state"

    @property
    def redaction_key_file(self) -> Path:
        """The key of the hashes that stand for secrets in what is indexed and planned, readable by its owner alone."""
        return self.home / "redaction.key"

    @property
    def cache(self) -> Path:
        """What can be computed again: compiled engines, parsed files."""
        return self.home / "cache"


# A reference to a secret may be stored and shown; what it leads to is read where it is needed.
_REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:/.+")


def is_reference(text: str) -> bool:
    """Whether a text refers to a secret: `env:` with a variable's name, or `file:` with an absolute path."""
    return _REFERENCE.fullmatch(text) is not None


def read(environment: Mapping[str, str]) -> Config:
    """Read the `CATALOG_*` variables; raises WrongUse naming the variable that doesn't hold."""
    port = _port(environment.get("CATALOG_PORT", "8000"))
    host = environment.get("CATALOG_HOST", "127.0.0.1")
    pattern = environment.get("CATALOG_SECRET_KEYS", DEFAULT_SECRET_KEYS)
    try:
        re.compile(pattern)
    except re.error as error:
        raise WrongUse(f"CATALOG_SECRET_KEYS is not a regular expression: {error}") from error
    seeds = environment.get("CATALOG_SEEDS")
    trusted = environment.get("CATALOG_TRUSTED_DOCUMENTS")
    return Config(
        home=Path(environment.get("CATALOG_HOME") or ".catalog").absolute(),
        host=host,
        port=port,
        url=environment.get("CATALOG_URL") or f"http://127.0.0.1:{port}",
        database_url=environment.get("CATALOG_DATABASE_URL") or None,
        database_read_url=environment.get("CATALOG_DATABASE_READ_URL") or None,
        database_direct_url=environment.get("CATALOG_DATABASE_DIRECT_URL") or None,
        database_pooled=environment.get("CATALOG_DATABASE_POOLED", "") in {"1", "true"},
        cors_origins=_origins("CATALOG_CORS_ORIGINS", environment),
        policy_servers=_origins("CATALOG_POLICY_SERVERS", environment),
        rate_factor=_rate_factor(environment.get("CATALOG_RATE_LIMIT") or "1"),
        trusted_documents=Path(trusted).absolute() if trusted else None,
        trusted_only=environment.get("CATALOG_TRUSTED_ONLY", "") in {"1", "true"},
        federation=environment.get("CATALOG_FEDERATION", "") in {"1", "true"},
        token=environment.get("CATALOG_TOKEN") or None,
        secret_keys=pattern,
        seeds=Path(seeds).absolute() if seeds else None,
        environment=dict(environment),
    )


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise WrongUse(f"CATALOG_PORT is {text!r}", hint="a number from 1 to 65535")
    return int(text)


_ORIGIN = re.compile(r"https?://[^/?#@\s,*]+")


def _origins(variable: str, environment: Mapping[str, str]) -> tuple[str, ...]:
    given = tuple(part.strip().rstrip("/").lower() for part in environment.get(variable, "").split(",") if part.strip())
    for origin in given:
        if not _ORIGIN.fullmatch(origin):
            raise WrongUse(
                f"{variable} names {origin!r}",
                hint="origins with scheme and host, separated by commas: https://portal.example.org",
            )
    return given


def _rate_factor(text: str) -> float | None:
    if text == "off":
        return None
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 0 < factor < math.inf:
        raise WrongUse(f"CATALOG_RATE_LIMIT is {text!r}", hint="`off`, or a factor: 2 allows each viewer twice as much in a minute")
    return factor
