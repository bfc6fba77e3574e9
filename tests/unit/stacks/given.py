"""A lookup that answers from data: what a test says the world holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog.errors import NotGiven, UnknownStore
from catalog.stacks.lookup import MASK, Nothing, Target


class Given(Nothing):
    """Variables, what scripts print, facts about git, outputs by `stack/component` (null: not provisioned), and stores by path."""

    def __init__(
        self,
        *,
        variables: Mapping[str, str] | None = None,
        printed: Mapping[str, str] | None = None,
        git: Mapping[str, str] | None = None,
        outputs: Mapping[str, Any] | None = None,
        stores: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self._variables = variables or {}
        self._printed = printed or {}
        self._git = git or {}
        self._outputs = outputs or {}
        self._stores = stores or {}

    def environment(self) -> Mapping[str, str]:
        return self._variables

    def execute(self, script: str, function: str) -> str:
        if script not in self._printed:
            raise NotGiven(function)
        return self._printed[script]

    def git(self, fact: str) -> str:
        return self._git.get(fact, "")

    def outputs(self, target: Target) -> Mapping[str, Any] | None:
        return self._outputs.get(f"{target.stack}/{target.component}") or {}

    def state(self, target: Target) -> Mapping[str, Any] | None:
        return self._outputs.get(f"{target.stack}/{target.component}")

    def secret(self, text: str) -> Any:
        del text
        return MASK

    def store(self, name: str, path: tuple[str, ...], function: str) -> Any:
        if name not in self._stores:
            raise UnknownStore(f"{function}: store '{name}' not found")
        if "/".join(path) not in self._stores[name]:
            raise KeyError("no such key")
        return self._stores[name]["/".join(path)]
