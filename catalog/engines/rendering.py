"""What a caller says to the template engine: what a rendering may use, who answers what templates ask, and what the engine is.

Apart from the engine itself, so that whoever is pure can speak of it without what runs it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

# Answers by full name ("atmos.Component", "datasource") and arguments; what it raises becomes the template's error.
Host = Callable[[str, Sequence[Any]], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a rendering may use.

    `missing` is error or default (a missing key prints `<no value>`). `environment` is what `env`, `getenv` and `expandenv` see;
    where it is None, asking is deferred. `pure` defers what differs from one run to the next: clock, chance, keys.
    """

    sprig: bool = True
    gomplate: bool = True
    missing: str = "error"
    left: str = "{{"
    right: str = "}}"
    environment: Mapping[str, str] | None = None
    pure: bool = False


PLAIN = Options()


@dataclass(frozen=True, slots=True)
class Reference:
    """A managed version. In text it stands for its digest where it is pinned to one and for its version elsewhere.

    Templates read `.Version`, `.Digest` and `.Pin` of it. `pin` is digest, none, or empty where nothing is configured.
    """

    version: str
    digest: str = ""
    pin: str = ""

    def __str__(self) -> str:
        """Return what a template prints."""
        return self.digest if self.pin == "digest" and self.digest else self.version

    def entry(self) -> dict[str, str]:
        """Return it as the map it is in YAML and JSON, without what is empty."""
        found = {"version": self.version, "digest": self.digest, "pin": self.pin}
        return {key: value for key, value in found.items() if value or key == "version"}


class Renderer(Protocol):
    """The engine as its callers see it; `template.Engine` is the one there is."""

    def render(self, text: str, name: str, data: Mapping[str, Any], options: Options = PLAIN, host: Host | None = None) -> str:
        """Return the rendered text; raises EstateError in Go's words, NotGiven for what nobody handed in."""
        ...

    def references(self, text: str, name: str) -> tuple[tuple[str, ...], ...] | None:
        """Return the field paths that a template refers to; None where it needs more than Go's built-in functions."""
        ...

    def query(self, expression: str, value: Any) -> Any:
        """Return what a yq expression gives for a value."""
        ...

    def attributes(self, content: bytes, name: str) -> Any:
        """Return the assignments of a `.tfvars` or `.hcl` file as data."""
        ...
