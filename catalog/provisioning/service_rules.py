"""What a service that people register must be like: rules for each value, as a table. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from catalog.errors import Invalid
from catalog.records import Lifecycle

_LINE, _TEXT, _SHORT = 200, 4_000, 63  # characters
_MOST_PARTS, _MOST_TAGS, _MOST_LINKS = 100, 50, 20
_MOST_TIER = 99
_SLUG = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")

Rule = Callable[[Any], str | None]  # what is wrong with a value, None when it holds


def check(said: Mapping[str, Any], rules: Mapping[str, Rule]) -> None:
    """Raise Invalid for the first value that doesn't hold."""
    for name, value in said.items():
        problem = rules[name](value)
        if problem is not None:
            raise Invalid(f"{name} {problem}", path=(name,))


def _line(most: int, *, empty: bool = False) -> Rule:
    def problem(value: Any) -> str | None:
        if value is None or value == "":
            return None if empty else "must not be empty"
        if len(value) > most:
            return f"has more than {most} characters"
        return "holds characters that can't be stored" if _UNSTORABLE.search(value) or "\n" in value or "\r" in value else None

    return problem


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if len(value) > _TEXT:
        return f"has more than {_TEXT:,} characters"
    return "holds characters that can't be stored" if _UNSTORABLE.search(value) else None


def _slug(value: Any) -> str | None:
    holds = _SLUG.fullmatch(value) is not None and len(value) <= _SHORT
    return None if holds else f"is not 1 to {_SHORT} lower-case letters, digits and hyphens between them"


def _lifecycle(value: Any) -> str | None:
    return None if value is None or value in list(Lifecycle) else f"is none of {', '.join(Lifecycle)}"


def _tier(value: Any) -> str | None:
    return None if value is None or 1 <= value <= _MOST_TIER else f"is not between 1 and {_MOST_TIER}"


def _listed(most: int, each: Rule) -> Rule:
    def problem(value: Any) -> str | None:
        listed = value or ()
        if len(listed) > most:
            return f"are more than {most}"
        return next((f"[{number}] {found}" for number, one in enumerate(listed) if (found := each(one)) is not None), None)

    return problem


def _link(link: Any) -> str | None:
    said = link if isinstance(link, dict) else asdict(link)
    title, url = _line(_LINE)(said["title"]), _line(_TEXT)(said["url"])
    if title or url:
        return f"title {title}" if title else f"url {url}"
    # Whoever shows a link lets others follow it: nothing that a browser would run.
    return None if re.match(r"https?://[^/\s]", said["url"]) else "url does not begin with http:// or https://"


def _component(part: Any) -> str | None:
    said = part if isinstance(part, dict) else asdict(part)
    name, role = _line(_LINE)(said["name"]), _line(_LINE, empty=True)(said["role"])
    return f"name {name}" if name else f"role {role}" if role else None


NAMES: Mapping[str, Rule] = {
    "slug": _line(_LINE),
    "organization": _line(_LINE, empty=True),
    "reason": _text,
    "idempotencyKey": _line(_LINE),
}
DEFINITION: dict[str, Rule] = {
    "slug": _slug,
    "organization": _line(_LINE, empty=True),
    "title": _line(_LINE),
    "owner": _line(_LINE),
    "description": _text,
    "category": _line(_SHORT, empty=True),
    "lifecycle": _lifecycle,
    "tier": _tier,
    "tags": _listed(_MOST_TAGS, _line(_SHORT)),
    "links": _listed(_MOST_LINKS, _link),
    "components": _listed(_MOST_PARTS, _component),
}
CHANGES: dict[str, Rule] = DEFINITION | {"lifecycle": lambda value: "must not be empty" if value is None else _lifecycle(value)}
