"""Templates to HTML. Everything that is not markup is escaped by jinja2."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

import jinja2

from catalog import __version__
from catalog.indexer.explanations import GROUPS


def sign_in(*, problem: str | None = None) -> str:
    """The page of somebody who is not signed in: how to get in, and why the last try didn't work."""
    return _render("sign_in.html", problem=problem)


def home(**values: Any) -> str:
    """The first page: what is indexed and where to go next."""
    return _render("home.html", **values)


def explorer(data: dict[str, Any]) -> str:
    """The page that GraphiQL mounts itself in; `data` is its address and its first tabs."""
    # A closing tag inside the JSON would end the script element.
    return _render("explorer.html", data=json.dumps(data).replace("<", "\\u003c"))


def diagnostics() -> str:
    """The page that explains every code of a diagnostic, each under an anchor of its own."""
    return _render("diagnostics.html", groups=GROUPS)


def _render(name: str, **values: Any) -> str:
    return _environment().get_template(name).render(version=__version__, **values)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("catalog.portal"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["ago"] = _ago
    environment.filters["short"] = lambda revision: (revision or "")[:10]
    return environment


# The largest unit that fits, in seconds.
_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def _ago(moment: str | None) -> str:
    """Say how long ago an RFC 3339 moment was, in its largest unit."""
    if not moment:
        return "never"
    seconds = int((datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds())
    for size, unit in _UNITS:
        count = seconds // size
        if count >= 1:
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"
