"""Stack names and Terraform workspaces: how a component's raw sections and its manifest name the stack it belongs to.

Names are told per component, as Atmos does, from values that are still unevaluated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from catalog.engines.rendering import Options
from catalog.errors import EstateError
from catalog.stacks.atmos_config import AtmosConfig
from catalog.stacks.files import join
from catalog.stacks.merging import EMPTY, Map
from catalog.stacks.name_templates import NameTemplate
from catalog.stacks.templates import Settings, Templates

# The types whose `component_info` tells a path, and those whose path isn't configurable.
_WITH_PATH = ("terraform", "helmfile", "packer", "ansible")
_CONVENTIONAL = {"container": "components/container"}
_WORKSPACE_KEYS = ("terraform_workspace", "terraform_workspace_pattern", "terraform_workspace_template")
TOKENS = ("namespace", "tenant", "environment", "stage")
_ARTICLES = {"environment": "an"}
# What a template of `stacks.name_template` sees: fewer sections where Atmos validates, more where it tells a workspace.
_VALIDATED = ("vars", "metadata", "settings", "env", "auth", "providers", "overrides", "backend", "backend_type")
_DESCRIBED = (*_VALIDATED, "hooks", "test", "secrets", "component")
_KNOWN = (*_DESCRIBED, "atmos_component", "atmos_stack", "stack", "atmos_stack_file", "atmos_manifest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A component's stack name and workspace prefix, and what kept the configured name from being told.

    `context` holds what workspaces are made of, `own` the same where the manifest names the stack itself: `describe component`
    looks at it, `describe stacks` doesn't. `is_told` is False where the manifest's path stands for a name that can't be told.
    """

    stack: str
    prefix: str
    context: Map
    own: Map = field(default_factory=lambda: EMPTY)
    problem: EstateError | None = None
    is_told: bool = True


class Naming:
    """Tells names by one configuration."""

    def __init__(
        self,
        config: AtmosConfig,
        templates: Templates | None = None,
        *,
        environment: Mapping[str, str] | None = None,
        pure: bool = True,
    ) -> None:
        self.pattern = config.name_pattern
        self.template = config.name_template
        self.templates = templates or Templates()
        self._options = Options(environment=environment, pure=pure)
        self._lenient = replace(self._options, missing="default") if Settings.of(config).ignore_missing else self._options
        self._known: dict[tuple[str, str], NameTemplate] = {}
        self._infos: dict[tuple[str, str, str], Map] = {}
        self.workspaces_enabled = config.get("components", "terraform", "workspaces_enabled", otherwise=True) is not False
        # Where metadata isn't inherited, Atmos doesn't drop the pattern beside a written workspace either.
        self._inherits_metadata = config.get("stacks", "inherit", "metadata", otherwise=True) is not False
        self._config = config

    def name(self, entry: Map, file_name: str, manifest_name: Any) -> Named:
        """Return the component's stack name: the manifest's `name`, else template, else pattern, else the file name."""
        flat = file_name.replace("/", "-")
        if isinstance(manifest_name, str) and manifest_name:
            return Named(stack=manifest_name, prefix=manifest_name, context=EMPTY, own=context_of(entry.get("vars")))
        if self.template:
            try:
                name = self._rendered(self.template, "describe-stacks-name-template", entry, _DESCRIBED, self._options)
            except EstateError as error:
                return Named(stack=file_name, prefix=flat, context=EMPTY, problem=error, is_told=False)
            return Named(stack=name or file_name, prefix=name, context=EMPTY, problem=None if name else self._empty(file_name))
        context = context_of(entry.get("vars"))
        if not self.pattern:
            return Named(stack=file_name, prefix=flat, context=EMPTY)
        try:
            name = from_pattern(self.pattern, context, file_name)
        except EstateError as error:
            return Named(stack=file_name, prefix=flat, context=context, own=context, problem=error, is_told=False)
        problem = None if name else self._empty(file_name)
        return Named(stack=name or file_name, prefix=name, context=context, own=context, problem=problem)

    def validated(self, entry: Map, file_name: str) -> str:
        """Return the name that validation tells, which ignores the manifest's own `name`; raises EstateError as Atmos does."""
        if self.template:
            return self._rendered(self.template, "validate-stacks-name-template", entry, _VALIDATED, self._lenient)
        if not self.pattern:
            words = "'stacks.name_template' (or the deprecated 'stacks.name_pattern') needs to be specified in 'atmos.yaml'"
            raise EstateError(words, code="STACK_NAME")
        return from_pattern(self.pattern, context_of(entry.get("vars")), file_name)

    def workspace(self, entry: Map, named: Named, *, described_as: str | None = None) -> str:
        """Return the Terraform workspace; raises EstateError for a template that can't be rendered.

        By default it is what `describe stacks` tells. `described_as` is the component's name where `describe component` or Terraform
        asks: then instances of another component carry their name behind the stack's, and a pattern wins over a written workspace.
        """
        if not self.workspaces_enabled or entry.get("backend_type") == "http":
            return "default"
        metadata = entry.get("metadata") or EMPTY
        explicit, pattern, template = (metadata.get(key) for key in _WORKSPACE_KEYS)
        if isinstance(explicit, str) and described_as is None and self._inherits_metadata:
            pattern = template = None
        if isinstance(template, str):
            found = self._rendered(template, "terraform-workspace-template", entry, _KNOWN, self._options)
        elif isinstance(pattern, str):
            found = with_tokens(pattern, self._tokens(entry, named, described_as))
        elif isinstance(explicit, str):
            found = explicit
        else:
            has_base = described_as is not None and _base(entry, described_as)
            found = f"{named.prefix}-{described_as}" if has_base else named.prefix
        return found.replace("/", "-")

    def _tokens(self, entry: Map, named: Named, described_as: str | None) -> Map:
        if described_as is None:
            return named.context
        return {**named.own, "component": described_as, "base-component": _base(entry, described_as)}

    def _rendered(self, text: str, name: str, entry: Map, keys: tuple[str, ...], options: Options) -> str:
        template = self._known.get((text, name))
        if template is None:
            template = self._known[text, name] = NameTemplate(text, name, keys, self.templates, options)
        return template.render(entry)

    def component_info(self, kind: str, entry: Map) -> Map:
        """Return `component_info`: the type, and the code's path where the type has a directory."""
        base = _CONVENTIONAL.get(kind) or (self._config.component_base_path(kind) if kind in _WITH_PATH else "")
        prefix = (entry.get("metadata") or EMPTY).get("component_folder_prefix") if base else ""
        key = (kind, prefix.strip() if isinstance(prefix, str) else "", str(entry["component"]) if base else "")
        info = self._infos.get(key)
        if info is None:
            info = self._infos[key] = {"component_type": kind}
            if base:
                info["component_path"] = join(base, *key[1:])
        return info

    def _empty(self, file_name: str) -> EstateError:
        unknown = [part for part in self.pattern.split("-") if part.strip("{}") not in TOKENS]
        hint = (
            f"Atmos knows the tokens {{namespace}} {{tenant}} {{environment}} {{stage}}, not {', '.join(unknown)}."
            if unknown
            else None
        )
        return EstateError(f"the stack of '{file_name}' has an empty name", code="STACK_NAME", hint=hint)


def _base(entry: Map, name: str) -> str:
    """The physical component where it has another name; unlike in `describe stacks`, an inherited one counts."""
    metadata = entry.get("metadata") or EMPTY
    inherited = metadata.get("component")
    base = inherited if isinstance(inherited, str) else str(entry.get("component", ""))
    return "" if base == name else base


def context_of(variables: Any) -> Map:
    """Return the context variables a stack's name and workspace are made of; anything but text counts as missing."""
    if not isinstance(variables, dict):
        return EMPTY
    context: Map = {name: variables[name] for name in (*TOKENS, "region") if isinstance(variables.get(name), str)}
    attributes = variables.get("attributes")
    return {**context, "attributes": attributes} if isinstance(attributes, list) else context


def from_pattern(pattern: str, context: Map, file_name: str) -> str:
    """Return the name by `stacks.name_pattern`; parts that are no token are dropped, a missing value raises EstateError."""
    parts = []
    for part in pattern.split("-"):
        token = part[1:-1]
        if part != f"{{{token}}}" or token not in TOKENS:
            continue
        if not context.get(token):
            article = _ARTICLES.get(token, "a")
            raise EstateError(
                "stack name pattern references a context part that is not defined in the stack file: the stack name pattern "
                f"'{pattern}' specifies '{token}', but the stack '{file_name}' does not have {article} {token} defined in the "
                f"stack file '{file_name}'",
                code="STACK_NAME",
            )
        parts.append(context[token])
    return "-".join(parts)


def with_tokens(pattern: str, context: Map) -> str:
    """Return `terraform_workspace_pattern` with its tokens replaced; those that the context doesn't hold are empty."""
    attributes = "-".join(str(item) for item in context.get("attributes", ()))
    values = {name: context.get(name, "") for name in (*TOKENS, "region", "component", "base-component")}
    values |= {"attributes": attributes, **dict.fromkeys(("component-path", "workspace", "terraform_workspace"), "")}
    return re.sub(r"\{([a-z_-]+)\}", lambda found: values.get(found[1], found[0]), pattern)
