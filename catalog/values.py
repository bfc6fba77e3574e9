"""Small values that every room shares: places in files, diagnostics, money, ids and canonical JSON.

Nothing here knows a database, a graph or a manifest; everything is frozen.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLocation:
    """A place in a file of an estate: path relative to the estate, line and column counted from 1."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        """Print as compilers do, `file:line:column`, so that editors can jump there."""
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)


class Severity(StrEnum):
    """How bad a diagnostic is: ERROR loses something, WARNING may surprise, INFO only informs."""

    ERROR = "ERROR"
    WARNING = "WARNING"
    INFO = "INFO"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """What could not be read or is objectionable: stable code, message, place, hint; perhaps the stack and component it harms."""

    severity: Severity
    code: str
    message: str
    hint: str | None = None
    location: SourceLocation | None = None
    stack: str | None = None
    component: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """An amount in one currency (ISO 4217); never a float, never without its currency."""

    amount: Decimal
    currency: str


# Kinds of things with a global id; the prefix tells `node(id:)` where to look without a search.
ID_PREFIXES = {
    "Estate": "est",
    "IndexRun": "run",
    "Diagnostic": "dia",
    "Change": "chg",
    "Manifest": "man",
    "Organization": "org",
    "Tenant": "ten",
    "Environment": "env",
    "Stack": "stk",
    "Component": "cmp",
    "ComponentInstance": "ins",
    "Team": "tea",
    "Service": "svc",
    "ServiceInstance": "svi",
    "CostEstimate": "cst",
    "Charge": "crg",
    "CostImport": "imp",
    "Workflow": "wfl",
    "ProvisioningRequest": "req",
    "Policy": "pol",
    "PolicyEvaluation": "pev",
    "AuditEvent": "aud",
    "Principal": "pri",
    "AccessToken": "tok",
}


def global_id(kind: str, *natural_key: str) -> str:
    """Return the global id of a thing: its kind's prefix and 128 bits of the hash of kind and natural key, in hex.

    The same key gives the same id in every database, so links and bookmarks outlive a rebuilt catalog.
    """
    text = "\x1f".join((kind, *natural_key))
    return f"{ID_PREFIXES[kind]}_{hashlib.blake2b(text.encode('utf-8', 'surrogatepass'), digest_size=16).hexdigest()}"


def canonical_json(value: Any) -> str:
    """Return the one JSON text of a value: keys sorted, no spaces, decimals as strings, UTF-8 as is."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)


def digest(value: Any) -> str:
    """Return the SHA-256, in hex, of a value's canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode("utf-8", "surrogatepass")).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, tuple):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no canonical JSON")
