"""The file pass: what a file's text becomes before its imports are resolved.

Locals are worked out, then, where there is any data for templates, scalars that are one plain reference become what they refer to,
and the rest is rendered all or nothing. It doesn't heed `templates.settings` of atmos.yaml; Atmos doesn't either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog.engines.rendering import Host, Options
from catalog.errors import EstateError, NotGiven
from catalog.stacks import documents, versions
from catalog.stacks import locals as file_locals
from catalog.stacks.component_pass import Lose, Path, read_back, round_trip
from catalog.stacks.contexts import Contexts
from catalog.stacks.findings import Findings
from catalog.stacks.merging import EMPTY, Map
from catalog.stacks.replacement import replaced
from catalog.stacks.sources import Source, as_map, without_new_timestamps, without_timestamps
from catalog.stacks.templates import Templates
from catalog.stacks.texts import Texts
from catalog.stacks.versions import Tracker
from catalog.values import Diagnostic, Severity, SourceLocation

INVALID = "invalid stack manifest"

# A context's maps of these names stand in the place of the file's own sections.
_TAKEN_OVER = ("locals", "vars", "settings", "env")
_TEMPLATE_PLACE = re.compile(r"template: .*?:(?P<line>\d+)(?::\d+)?: ")
_YAML_LINE = re.compile(r"(?:unmarshal errors:\n *)?line \d+: ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """What a file became: its content, the context that its imports get, and what is told of it.

    `document` knows places in the rendered text, where the file's own text isn't YAML.
    """

    value: Map = field(repr=False)
    context: Map = field(repr=False)
    document: documents.Document = field(repr=False)
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePass:
    """Takes files through the pass under one configuration.

    `environment` is what templates see of the process (None: asking is deferred), `tracker` gives what they see as `.version`.
    `evaluate` gives, for a file, who evaluates the YAML functions of its locals, `included` replaces the includes of a rendered
    document.
    """

    strict: bool
    contexts: Contexts
    templates: Templates
    texts: Texts
    evaluate: Callable[[Source], file_locals.Evaluate]
    included: Callable[[documents.Document, str], documents.Document]
    environment: Mapping[str, str] | None = None
    host: Host | None = None
    tracker: Tracker | None = None
    delimiter: str = ""

    def passed(self, source: Source, context: Map, *, skip: bool = False, ignore_missing: bool = False) -> Passed:
        """Return what a file becomes with a context; raises EstateError where Atmos fails.

        With `skip` nothing is rendered and locals aren't looked at; with `ignore_missing` a missing key prints `<no value>`.
        """
        if source.is_empty:
            return Passed(value=EMPTY, context=EMPTY, document=source.document)
        if skip:
            return self._as_written(source, context)
        findings = Findings(strict=self.strict)
        data = self._data(source, self.contexts.without(context, file_locals.LOCALS), findings)
        if not data and not source.is_template:
            return self._as_written(source, data)
        return _One(self, source, data, findings, ignore_missing=ignore_missing, is_explicit=bool(context)).passed()

    def _as_written(self, source: Source, context: Map) -> Passed:
        if source.error is not None:
            raise self._not_yaml(source, source.error)
        value = without_timestamps(source.value) if source.document.has_timestamps else source.value
        return Passed(value=taken_over(value, context), context=context, document=source.document)

    def _not_yaml(self, source: Source, error: EstateError) -> EstateError:
        if self.strict:
            return EstateError(f"{INVALID}: {error.message}", code="YAML", hint=error.hint, location=error.location)
        # The line is left to the location, so that moving it doesn't make another diagnostic.
        words = _YAML_LINE.sub("", error.message)
        return EstateError(words, code="YAML", hint=error.hint, location=error.location or SourceLocation(file=source.file))

    def _data(self, source: Source, inherited: Map, findings: Findings) -> Map:
        """The context with the file's locals in it, and with its own sections where it has any locals."""
        is_template = source.relative.endswith(".tmpl")
        if source.error is not None:
            if is_template:
                return inherited
            raise self._unextracted(source, source.error)
        if not file_locals.defines(source.value):
            return self.contexts.one(self._with_versions(source, inherited))
        try:
            found = self._locals(source, findings)
        except EstateError as error:
            if is_template:
                return inherited
            raise self._unresolved(source, error) from error
        data = self._with_versions(source, {**inherited, file_locals.LOCALS: found})
        return self.contexts.one(self._with_sections(source, data))

    def _with_versions(self, source: Source, data: Map) -> Map:
        """Add the tracked versions, of the track that the file asserts, where its text mentions them and there is any data."""
        if not data or self.tracker is None or "version" in data or not versions.mentioned(source.template):
            return data
        return {**data, "version": self.tracker.data(versions.asserted(source.value))}

    def _locals(self, source: Source, findings: Findings) -> Map:
        def defer(path: Path, error: EstateError) -> None:
            _note_deferred(findings, error, source.location(path))

        here = file_locals.Here(
            file=source.relative,
            templates=self.templates,
            evaluate=self.evaluate(source),
            options=self.options(gomplate=False),
            defer=None if self.strict else defer,
            bounds=self.contexts.bounds,
        )
        found = without_timestamps(file_locals.of_file(source.value, here))
        return found if isinstance(found, dict) else EMPTY

    def _with_sections(self, source: Source, data: Map) -> Map:
        """Add `settings`, `vars` and `env`, each rendered with the ones before it; one that can't be rendered whole stays raw."""
        for name in file_locals.SECTIONS:
            section = source.value.get(name)
            if isinstance(section, dict):
                section = without_timestamps(section) if source.document.has_timestamps else section
                data = {**data, name: self._section(section, data, source)}
        return data

    def _section(self, section: Map, data: Map, source: Source) -> Map:
        name = source.relative
        self.contexts.bounds.check_copies(section, data, f"'{name}'")
        value = replaced(section, data, self.texts)
        if not self.texts.has_template(value):
            return value if isinstance(value, dict) else EMPTY
        try:
            rendered = self.round_trip(value, data, name, lose=None if self.strict else _only_deferred)
        except EstateError:
            return section
        found = without_new_timestamps(rendered, value)
        return found if isinstance(found, dict) else EMPTY

    def round_trip(self, value: Map, data: Map, name: str, *, ignore_missing: bool = False, lose: Lose | None = None) -> Map:
        """Return a map rendered from the data."""
        options = self.options(ignore_missing=ignore_missing)
        return round_trip(value, data, name, options, templates=self.templates, texts=self.texts, host=self.host, lose=lose)

    def options(self, *, gomplate: bool = True, ignore_missing: bool = False) -> Options:
        """Return how templates are rendered."""
        return Options(
            gomplate=gomplate,
            missing="default" if ignore_missing else "error",
            environment=self.environment,
            pure=not self.strict,
        )

    def _unextracted(self, source: Source, error: EstateError) -> EstateError:
        if not self.strict:
            return self._not_yaml(source, error)
        words = (
            f"{INVALID}: failed to parse YAML for locals extraction "
            f"(hint: if this file contains Go template directives, rename it to .yaml.tmpl): {error.message}"
        )
        return EstateError(words, code="YAML", hint=error.hint, location=error.location)

    def _unresolved(self, source: Source, error: EstateError) -> EstateError:
        words = error.message
        if self.strict:
            words = f"{INVALID}: failed to process stack locals: {words}"
            if "circular dependency in locals" in words:
                words = f"circular dependency in locals: {words}"
        return EstateError(words, code=error.code, hint=error.hint, location=source.location(error.path))


class _One:
    """One file, with one context."""

    def __init__(
        self, around: FilePass, source: Source, data: Map, findings: Findings, *, ignore_missing: bool, is_explicit: bool
    ) -> None:
        self.around = around
        self.source = source
        self.data = data
        self.findings = findings
        self.ignore_missing = ignore_missing
        self.is_explicit = is_explicit
        self.document = source.document

    def passed(self) -> Passed:
        value = self._rendered() if self.source.template or self.source.error is not None else self.source.value
        if self.source.document.has_timestamps:
            value = without_timestamps(value)
        return Passed(
            value=taken_over(value, self.data),
            context=self.data,
            document=self.document,
            diagnostics=tuple(self.findings.diagnostics),
        )

    def _rendered(self) -> Map:
        if self.source.error is not None or not self.data:
            return self._of_text()
        self.around.contexts.bounds.check_copies(self.source.value, self.data, f"'{self.source.relative}'")
        value = replaced(self.source.value, self.data, self.around.texts)
        if not isinstance(value, dict):
            return EMPTY
        try:
            if not self.around.texts.has_template(value):
                return read_back(value, self.source.relative, self.around.texts)
            rendered = without_new_timestamps(self._of_value(value), value)
            return rendered if isinstance(rendered, dict) else EMPTY
        except EstateError as error:
            if error.message.startswith("yaml: "):
                raise self._not_yaml(error) from error
            if self.is_explicit:
                raise self._failed(error) from error
            # The rest is left to the component pass, where the component's own values are known.
            return read_back(value, self.source.relative, self.around.texts)

    def _of_value(self, value: Map) -> Map:
        lose = None if self.around.strict else self._lose
        return self.around.round_trip(value, self.data, self.source.relative, ignore_missing=self.ignore_missing, lose=lose)

    def _lose(self, path: Path, error: EstateError) -> None:
        """What nobody may answer stays as it is written; anything else fails."""
        location = self.source.location(path)
        if not isinstance(error, NotGiven):
            raise EstateError(error.message, code=error.code, hint=error.hint, location=location) from error
        _note_deferred(self.findings, error, location)

    def _of_text(self) -> Map:
        text = self.source.template
        options = self.around.options(ignore_missing=self.ignore_missing)
        try:
            text = self.around.templates.render(text, self.source.relative, self.data, options, self.around.host)
        except EstateError as error:
            if self.is_explicit:
                raise self._failed(self._in_text(error)) from error
        try:
            document = documents.load(text.encode("utf-8", "surrogatepass"), self.source.file, delimiter=self.around.delimiter)
            document = self.around.included(document, self.source.path)
            value = as_map(document)
        except EstateError as error:
            raise self._not_yaml(error) from error
        if self.source.error is not None:
            self.document = document
        found = without_timestamps(value) if document.has_timestamps else value
        return found if isinstance(found, dict) else EMPTY

    def _in_text(self, error: EstateError) -> EstateError:
        """An error of rendering the file's own text, whose line is the file's."""
        place = _TEMPLATE_PLACE.match(error.message)
        location = SourceLocation(file=self.source.file, line=int(place["line"]) if place else 1)
        return EstateError(error.message, code=error.code, hint=error.hint, location=location)

    def _failed(self, error: EstateError) -> EstateError:
        is_strict = self.around.strict
        words = f"{INVALID}: {error.message}" if is_strict else _TEMPLATE_PLACE.sub("template: ", error.message, count=1)
        hint = error.hint or "Give the value in the import's `context`, or say `ignore_missing_template_values: true` there."
        return EstateError(words, code="TEMPLATE", hint=hint, location=error.location or SourceLocation(file=self.source.file))

    def _not_yaml(self, error: EstateError) -> EstateError:
        """The rendered text is no YAML; its lines are not the file's."""
        words = f"{INVALID}: {error.message}" if self.around.strict else _YAML_LINE.sub("", error.message)
        is_own_line = self.source.error is not None or not self.around.strict
        location = (error.location if is_own_line else None) or SourceLocation(file=self.source.file, line=1)
        return EstateError(words, code="YAML", hint="That is the file as its templates render it.", location=location)


def _note_deferred(findings: Findings, error: EstateError, location: SourceLocation) -> None:
    hint = "Indexing runs no program, reads no environment and asks no backend."
    findings.note(Severity.INFO, "DEFERRED", f"kept as written: {error.message}", hint=hint, location=location)


def _only_deferred(path: Path, error: EstateError) -> None:
    del path
    if not isinstance(error, NotGiven):
        raise error


def taken_over(value: Any, context: Map) -> Map:
    """Return a file's content with the sections that its context brings, in the place of its own."""
    brought = {name: found for name in _TAKEN_OVER if isinstance(found := context.get(name), dict) and found}
    if brought:
        return {**value, **brought}
    return value if isinstance(value, dict) else EMPTY
