"""The names that Spacelift and Atlantis give a component instance, by its own settings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from catalog.engines.rendering import Options
from catalog.errors import EstateError
from catalog.stacks.atmos_config import AtmosConfig
from catalog.stacks.merging import EMPTY, Map
from catalog.stacks.naming import context_of, from_pattern
from catalog.stacks.resolved import ResolvedInstance
from catalog.stacks.templates import Templates

_TOKEN = re.compile(r"\{([a-z_-]+)\}")
_TOKENS = ("namespace", "environment", "region", "tenant", "stage")
_UNKNOWN_HERE = ("base-component", "workspace", "terraform_workspace")


@dataclass(frozen=True, slots=True, kw_only=True)
class Integrations:
    """Tells names under one configuration; `templates` renders `stacks.name_template`."""

    config: AtmosConfig
    templates: Templates

    def names(self, instance: ResolvedInstance, *, is_described: bool = False) -> Map:
        """Return `spacelift_stack` and `atlantis_project` where the instance has them; raises EstateError as Atmos does.

        `describe component` tells them of every type, and lets the name template see the whole entry.
        """
        if instance.type != "terraform" and not is_described:
            return {}
        keys = None if is_described else ("vars", "settings")
        found = {"spacelift_stack": self._spacelift(instance, keys), "atlantis_project": self._atlantis(instance)}
        return {key: name for key, name in found.items() if name}

    def known_names(self, instance: ResolvedInstance) -> Map:
        """Return what of `names` can be told, where Atmos doesn't insist."""
        found: Map = {}
        for key, name in (("spacelift_stack", self._spacelift), ("atlantis_project", self._atlantis)):
            try:
                told = name(instance)
            except EstateError:
                continue
            if told:
                found[key] = told
        return found if instance.type == "terraform" else {}

    def _spacelift(self, instance: ResolvedInstance, keys: Sequence[str] | None = ("vars", "settings")) -> str:
        section = _map(_map(instance.sections.get("settings")).get("spacelift"))
        if section.get("workspace_enabled") is not True:
            return ""
        prefix = self._context_prefix(instance, keys)
        pattern, name = section.get("stack_name_pattern"), section.get("stack_name")
        if isinstance(pattern, str):
            return with_context(pattern, instance)
        if isinstance(name, str):
            return name
        return f"{prefix}-{instance.name}".replace("/", "-")

    def _context_prefix(self, instance: ResolvedInstance, keys: Sequence[str] | None) -> str:
        """The name that the configuration gives an instance's stack, whatever its manifest says."""
        if self.config.name_template:
            data = instance.sections if keys is None else {key: instance.sections.get(key, EMPTY) for key in keys}
            is_lenient = self.config.get("templates", "settings", "ignore_missing_template_values") is True
            options = Options(missing="default" if is_lenient else "error")
            return self.templates.render(self.config.name_template, "name-template", data, options)
        if not self.config.name_pattern:
            words = "'stacks.name_template' (or the deprecated 'stacks.name_pattern') needs to be specified in 'atmos.yaml'"
            raise EstateError(words, code="STACK_NAME")
        return from_pattern(self.config.name_pattern, context_of(instance.sections.get("vars")), instance.stack)

    def _atlantis(self, instance: ResolvedInstance) -> str:
        section = _map(_map(instance.sections.get("settings")).get("atlantis"))
        template = section.get("project_template")
        if not isinstance(template, dict):
            named = section.get("project_template_name")
            known = self.config.get("integrations", "atlantis", "project_templates", otherwise=EMPTY)
            template = known.get(named.lower()) if isinstance(named, str) and isinstance(known, dict) else None
        name = template.get("name") if isinstance(template, dict) else None
        return with_context(name, instance) if isinstance(name, str) else ""


def with_context(pattern: str, instance: ResolvedInstance, *, component_path: str = "") -> str:
    """Return a pattern with the tokens of an instance's context replaced; unknown tokens stay."""
    context = context_of(instance.sections.get("vars"))
    values = {**{token: context.get(token, "") for token in _TOKENS}, **dict.fromkeys(_UNKNOWN_HERE, "")}
    values |= {"component": instance.name.replace("/", "-"), "component-path": component_path}
    values["attributes"] = "-".join(str(item) for item in context.get("attributes", ()))
    return _TOKEN.sub(lambda found: values.get(found[1], found[0]), pattern)


def _map(value: Any) -> Map:
    return value if isinstance(value, dict) else EMPTY
