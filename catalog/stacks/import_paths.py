"""Templates in import paths: what they see is what the imports before define, and the import's own context."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.engines.rendering import Options
from catalog.errors import EstateError
from catalog.stacks.imports import Import
from catalog.stacks.locals import SECTIONS
from catalog.stacks.merging import EMPTY, Map, Memo, merge
from catalog.stacks.templates import Templates


class Earlier:
    """What the imports before one define in settings, vars and env, merged when it is asked for."""

    def __init__(self, above: Earlier | None = None, value: Map = EMPTY) -> None:
        self.above = above
        self.value = value
        self.merged: tuple[Map, ...] | None = None if above is not None else (EMPTY,) * len(SECTIONS)

    def and_then(self, value: Map) -> Earlier:
        """Return what is known after one more import."""
        return Earlier(self, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPaths:
    """Renders import paths under one configuration; `is_enabled` and `ignore_missing` are those of `templates.settings`."""

    templates: Templates
    options: Options
    memo: Memo
    strategy: str
    is_enabled: bool
    ignore_missing: bool

    def depends(self, wanted: Import) -> bool:
        """Tell whether what an import means depends on the imports before."""
        return self.is_enabled and wanted.has_template

    def rendered(self, wanted: Import, relative: str, earlier: Earlier) -> str:
        """Return an import's path; raises EstateError when it names what nothing before defines."""
        if not self.depends(wanted):
            return wanted.path
        data = {name: found for name, found in zip(SECTIONS, self.sections(earlier), strict=True) if found}
        is_lenient = self.ignore_missing or wanted.ignore_missing_template_values
        options = (
            self.options
            if not is_lenient
            else Options(missing="default", environment=self.options.environment, pure=self.options.pure)
        )
        try:
            return self.templates.render(
                wanted.path, f"import-path({relative})", merge(data, wanted.context, self.strategy), options
            )
        except EstateError as error:
            words = (
                f"failed to render Go template in import path: import path '{wanted.path}' in file '{relative}': {error.message}"
            )
            hint = error.hint or (
                "Define the value in an earlier import or in this import's `context`, or say `ignore_missing_template_values: true`."
            )
            raise EstateError(words, code="TEMPLATE", hint=hint, location=wanted.location) from error

    def sections(self, earlier: Earlier) -> tuple[Map, ...]:
        """Return settings, vars and env as the imports before define them."""
        waiting: list[Earlier] = []
        step = earlier
        while step.merged is None and step.above is not None:
            waiting.append(step)
            step = step.above
        found = step.merged or ()
        for step in reversed(waiting):
            own = [step.value.get(name) for name in SECTIONS]
            found = tuple(
                self.memo.merge(below, above, self.strategy) if isinstance(above, dict) else below
                for below, above in zip(found, own, strict=True)
            )
            step.merged = found
        return found
