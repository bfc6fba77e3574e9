"""The yq engine: expressions of yq version 4 on plain values, by its own library."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from catalog.engines import cache
from catalog.engines.runner import Runner
from catalog.errors import EstateError, Unavailable

NAME = "yq"


class YqEngine:
    """Evaluates expressions; compiles itself where that wasn't done yet (about a second, once a machine)."""

    def __init__(self, directory: Path) -> None:
        cache.prepare(NAME, directory)
        self._runner = Runner(NAME, directory)

    def query(self, expression: str, value: Any) -> Any:
        """Return what the expression gives for a value of dicts, lists and scalars; raises EstateError in yq's words."""
        request = json.dumps({"expression": expression, "value": value}, ensure_ascii=False, default=str)
        try:
            answer = json.loads(self._runner.call("query", request.encode("utf-8", "replace")))
        except Unavailable as error:
            raise EstateError(error.message, code="QUERY") from error
        if "error" in answer:
            raise EstateError(answer["error"], code="QUERY")
        return answer["value"]
