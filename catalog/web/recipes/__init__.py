"""Recipes: documents that answer what people ask a catalog, by persona.

One file each below a directory of its persona, in the order of their names. The comment at its head is its title, what it tells and what
it costs; variables lie beside it in a JSON file of the same name. GraphiQL shows them, `docs/recipes.py` writes them down.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

PERSONAS = {
    "developer": "Developer",
    "platform-engineer": "Platform engineer",
    "finops": "FinOps",
    "security": "Security",
    "manager": "Manager",
}
_PLACE = Path(__file__).parent
_COST = re.compile(r"Costs (\d+) points\.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One of them: `document` is the whole file, `cost` what the variables that lie beside it cost, in points."""

    persona: str
    name: str
    title: str
    text: str
    cost: int
    document: str
    variables: dict[str, Any]

    @property
    def operation(self) -> str:
        """The document without the comment at its head."""
        return "".join(line for line in self.document.splitlines(keepends=True) if not line.startswith("#"))


@cache
def recipes() -> tuple[Recipe, ...]:
    """All of them, persona after persona."""
    return tuple(_recipe(file) for persona in PERSONAS for file in sorted((_PLACE / persona).glob("*.graphql")))


def _recipe(file: Path) -> Recipe:
    document = file.read_text(encoding="utf-8")
    title, *text, cost = (line.removeprefix("#").strip() for line in document.splitlines() if line.startswith("#"))
    told = _COST.fullmatch(cost)
    assert told, f"{file.name} doesn't end its comment with what it costs"
    beside = file.with_suffix(".json")
    return Recipe(
        persona=file.parent.name,
        name=file.stem.partition("-")[2],
        title=title,
        text=" ".join(text),
        cost=int(told[1]),
        document=document,
        variables=json.loads(beside.read_text(encoding="utf-8")) if beside.exists() else {},
    )
