"""The second stage: each component as it was built, named, rendered and evaluated.

A function or a template may ask for another component of any stack, so entries are evaluated when they are asked for, once each, and
a chain of askers tells a circle. What an evaluation consulted is kept with its result, for incremental reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from catalog.engines.rendering import PLAIN, Host, Options
from catalog.errors import EstateError, NotGiven
from catalog.stacks import component_pass, deferred, dependencies, functions, selectors, templates, versions
from catalog.stacks.atmos_config import AtmosConfig
from catalog.stacks.component_pass import ComponentPass, Lose, round_trip
from catalog.stacks.dependencies import Declared
from catalog.stacks.findings import Findings
from catalog.stacks.lookup import NOTHING, Lookup
from catalog.stacks.lookup import Deferred as DeferredText
from catalog.stacks.losses import Losses, Nested, Path
from catalog.stacks.merging import EMPTY, Map
from catalog.stacks.naming import Naming
from catalog.stacks.resolved import ResolvedInstance
from catalog.stacks.sites import Site, Sites
from catalog.stacks.stack_files import StackFile
from catalog.stacks.template_host import UNKNOWN, TemplateHost
from catalog.stacks.templates import Templates
from catalog.stacks.texts import FUNCTION, TEMPLATE, Texts
from catalog.stacks.versions import Tracker
from catalog.values import Severity

_LATE_NAME = "deferred-yaml-function-value"
_DESCRIBED_NAME = "templates-all-atmos-sections"

Asked = tuple[str, str]  # a component, and a stack as it was named


@dataclass(frozen=True, slots=True, kw_only=True)
class Processing:
    """What is evaluated: templates and functions, but for the functions in `skip` (names without `!`).

    `error_mode` is strict, warn or silent, empty for the configuration's: what a value becomes that a backend can't give yet.
    `wanted` tells which instances are evaluated at all; others stay as they were built.
    """

    templates: bool = True
    functions: bool = True
    skip: frozenset[str] = frozenset()
    error_mode: str = ""
    wanted: Callable[[ResolvedInstance], bool] | None = None


EVERYTHING = Processing()


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """One evaluation of one entry. `is_described` tells that it is made as `describe component` makes it."""

    site: Site
    stack: str
    processing: Processing
    losses: Losses | None = None
    is_described: bool = False

    @property
    def lose(self) -> Lose | None:
        """What takes errors in lenient reading."""
        return None if self.losses is None else self.losses.lose


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """An evaluated entry, what it was before its functions, and the components that its templates asked for themselves."""

    value: Map
    rendered: Map
    asked: tuple[Asked, ...] = ()


@dataclass(slots=True)
class _Consulted:
    """What an evaluation asks for: itself, and all that it and those it asks ask for, with the stack files that answered."""

    itself: dict[Asked, None] = field(default_factory=dict)
    files: dict[Asked, frozenset[str]] = field(default_factory=dict)


class Evaluation:
    """Evaluates the components of one reading."""

    def __init__(
        self,
        stacks: Mapping[str, StackFile],
        config: AtmosConfig,
        naming: Naming,
        engine: Templates,
        texts: Texts,
        *,
        strict: bool,
        lookup: Lookup = NOTHING,
        processing: Processing = EVERYTHING,
        tracker: Tracker | None = None,
    ) -> None:
        self.config = config
        self.naming = naming
        self.strict = strict
        self.templates = engine if strict else Watchful(engine)
        self.texts = texts
        self.lookup = lookup
        self.tracker = tracker
        self.settings = templates.Settings.of(config)
        self.environment = environment(lookup)
        mode = processing.error_mode or str(config.get("describe", "error_mode", otherwise="") or "warn")
        self.processing = replace(processing, error_mode=mode if strict else "strict")
        self._checks_selectors = strict and config.get("describe", "settings", "eager_evaluation", otherwise=False) is not True
        self.sites = Sites(stacks, strict=strict)
        self._pass = ComponentPass(
            templates=self.templates, settings=self.settings, texts=texts, environment=self.environment, pure=not strict
        )
        self._selectors: dict[int, Any] = {}
        self._done: dict[tuple[Asked, str], tuple[Map, _Consulted]] = {}
        self._chain: list[tuple[str, str, str]] = []
        self._consulted: list[_Consulted] = []
        self._kept = frozenset(path for path, file in stacks.items() if file.is_evaluated)

    def finished(self, file: StackFile) -> StackFile:
        """Return a stack file with its instances evaluated; in strict reading raises EstateError where Atmos fails.

        Of one that was evaluated before, everything that is still the same is the same object.
        """
        findings, wanted = Findings(strict=self.strict), self.processing.wanted
        consulted = _Consulted()
        instances: list[ResolvedInstance] = []
        declared: list[tuple[Declared, ...]] = []
        self._consulted.append(consulted)
        try:
            for number in range(len(file.built)):
                site = Site(file=file, number=number)
                self._check_selectors(site)
                named = self._named(site, findings)
                if wanted is not None and not wanted(built := self._instance(site, site.named.stack, named)):
                    instances.append(built)
                    declared.append(())
                    continue
                losses = None if self.strict else Losses(site, findings)
                occasion = Occasion(site=site, stack=site.named.stack, processing=self.processing, losses=losses)
                entry = self._evaluated(occasion, named)
                instance = self._instance(site, site.named.stack, entry.value)
                instances.append(instance)
                declared.append(() if instance.abstract else tuple(self._declared(site, entry)))
        finally:
            self._consulted.pop()
        return file.evaluated(instances, declared, consulted=tuple(consulted.files.items()), diagnostics=findings.diagnostics)

    def unfinished(self, file: StackFile) -> StackFile:
        """Return a stack file with its instances as they are before anything is evaluated."""
        findings = Findings(strict=self.strict)
        sites = [Site(file=file, number=number) for number in range(len(file.built))]
        instances = [self._instance(site, site.named.stack, self._named(site, findings)) for site in sites]
        return file.evaluated(instances, [()] * len(instances), consulted=(), diagnostics=findings.diagnostics)

    def is_current(self, file: StackFile) -> bool:
        """Tell whether what a finished stack file consulted is still what it was, in files that were not resolved again."""
        return file.is_evaluated and all(
            paths <= self._kept and paths == frozenset(site.file.path for site in self.sites.find(*asked))
            for asked, paths in file.consulted
        )

    def instance(
        self, component: str, stack: str, kind: str | None = None, *, more: Callable[[ResolvedInstance], Map] | None = None
    ) -> ResolvedInstance:
        """Return one component evaluated as `describe component` does; raises EstateError in Atmos' words.

        `stack` is a stack's name or its manifest's path, and the entry echoes it. `more` gives keys that the command adds to an
        entry before its templates are rendered.
        """
        site = self.sites.one(component, stack, kind)
        findings = Findings(strict=self.strict)
        losses = None if self.strict else Losses(site, findings)
        entry = self._described_entry(site, stack, findings)
        if more is not None:
            entry = {**entry, **more(self._instance(site, stack, entry))}
        occasion = Occasion(site=site, stack=stack, processing=self.processing, losses=losses, is_described=True)
        return self._instance(site, stack, self._evaluated(occasion, entry).value)

    def describe(self, component: str, stack: str, function: str) -> Map:
        """Return another component's entry for a function or a template that asks for it; raises EstateError in Atmos' words.

        It is evaluated in full and strictly, whatever is wanted of the asker. What can't be evaluated leniently is
        `lookup.Deferred` text in it.
        """
        asked = (component, stack)
        if self._consulted:
            self._consulted[-1].itself[asked] = None
            self._consulted[-1].files[asked] = frozenset(site.file.path for site in self.sites.find(*asked))
        link = (component, stack, function)
        if any(former[:2] == asked for former in self._chain):
            raise _circle([*self._chain, link])
        site = self.sites.one(component, stack)
        known = self._done.get((asked, site.built.type))
        if known is None:
            self._chain.append(link)
            try:
                known = self._done[asked, site.built.type] = self._nested(site, stack)
            finally:
                self._chain.pop()
        if self._consulted:
            self._consulted[-1].files.update(known[1].files)
        return known[0]

    def _nested(self, site: Site, stack: str) -> tuple[Map, _Consulted]:
        losses = None if self.strict else Nested(site)
        processing = Processing(error_mode="strict")
        occasion = Occasion(site=site, stack=stack, processing=processing, losses=losses, is_described=True)
        with self._consulting() as consulted:
            entry = self._evaluated(occasion, self._described_entry(site, stack, Findings(strict=self.strict))).value
        if losses is not None and losses.paths:
            entry = _deferred_at(entry, losses.paths)
        return entry, consulted

    @contextmanager
    def _consulting(self) -> Iterator[_Consulted]:
        """Record what is consulted meanwhile, for the asker too."""
        consulted = _Consulted()
        self._consulted.append(consulted)
        try:
            yield consulted
        finally:
            self._consulted.pop()
            if self._consulted:
                self._consulted[-1].files.update(consulted.files)

    def _named(self, site: Site, findings: Findings) -> Map:
        """Return the built entry with the keys that need the stack's name, as `describe stacks` tells them."""
        entry = self._with_names(site, site.named.stack)
        if site.built.type == "terraform":
            entry["workspace"] = self._workspace(site, entry, findings)
        return entry

    def _described_entry(self, site: Site, stack: str, findings: Findings) -> Map:
        """The same as `describe component` tells them."""
        entry = self._with_names(site, stack)
        if site.built.type == "terraform":
            entry["workspace"] = self._workspace(site, entry, findings, is_described=True)
        return entry

    def _with_names(self, site: Site, stack: str) -> Map:
        built, manifest = site.built, site.file.name
        entry = built.entry.copy()
        entry["atmos_component"] = built.name
        entry["atmos_stack"] = entry["stack"] = stack
        entry["atmos_stack_file"] = entry["atmos_manifest"] = manifest
        entry["component_info"] = self.naming.component_info(built.type, entry)
        return entry

    def _workspace(self, site: Site, entry: Map, findings: Findings, *, is_described: bool = False) -> str:
        try:
            return self.naming.workspace(entry, site.named, described_as=site.built.name if is_described else None)
        except EstateError as error:
            if self.strict:
                raise
            file = site.file.merged
            place = Losses(site, findings).location("metadata.terraform_workspace_template") if file is not None else None
            findings.note(
                Severity.WARNING,
                error.code,
                error.message,
                hint="The workspace is named by the stack.",
                location=place,
                stack=site.named.stack,
                component=site.built.name,
            )
            return site.named.prefix.replace("/", "-")

    def _evaluated(self, occasion: Occasion, entry: Map) -> _Entry:
        site, processing = occasion.site, occasion.processing
        if not processing.templates and not site.built.chain.names:
            entry = {**entry, "inheritance": None}
        settings = entry.get("settings")
        has_own_rules = isinstance(settings, dict) and "templates" in settings
        if not has_own_rules and not (site.file.has_text and (self.texts.glance(entry) or site.built.late)):
            return _Entry(value=entry, rendered=entry)
        with self._consulting() as consulted:
            return self._with_text(occasion, entry, consulted)

    def _with_text(self, occasion: Occasion, entry: Map, consulted: _Consulted) -> _Entry:
        processing = occasion.processing
        mocks = entry.get("mocks")
        if mocks is not None:
            entry = {key: value for key, value in entry.items() if key != "mocks"}
        host = _Host(self, occasion, entry)
        data = self._data(occasion, entry)
        rendered = self._rendered(occasion, entry, data, host) if processing.templates else entry
        if occasion.losses is not None and occasion.losses.paths:
            rendered = _deferred_at(rendered, occasion.losses.paths)  # no function is made of what was lost
        asked = tuple(consulted.itself)
        result = rendered
        if processing.functions and (occasion.site.built.late or self.texts.glance(rendered) & FUNCTION):
            here = self._here(occasion, rendered)
            result = functions.evaluated(rendered, here)
            if occasion.site.built.late:
                result = self._settled(occasion, result, here, host, data if occasion.is_described else result)
        if mocks is not None:
            result = {**result, "mocks": mocks}
        return _Entry(value=result, rendered=rendered, asked=asked)

    def _rendered(self, occasion: Occasion, entry: Map, data: Map, host: _Host) -> Map:
        def lose(path: Path, error: EstateError) -> None:
            assert occasion.losses is not None
            occasion.losses.lose(path, _reason(error, host))
            host.forget()

        return self._pass.rendered(
            entry,
            host=host,
            data=data,
            variables=templates.environment_of(_template_settings(entry)),
            name=_DESCRIBED_NAME if occasion.is_described else component_pass.NAME,
            lose=None if occasion.losses is None else lose,
        )

    def _data(self, occasion: Occasion, entry: Map) -> Map:
        """What templates see: the entry, with the tracked versions where any text mentions them."""
        if (
            self.tracker is None
            or not self.tracker.is_there
            or "version" in entry
            or not any(map(self._mentions_versions, entry.values()))
        ):
            return entry
        return {**entry, "version": self.tracker.data(self._track(occasion))}

    def _mentions_versions(self, value: Any) -> bool:
        if isinstance(value, str):
            return versions.mentioned(value)
        if not isinstance(value, (dict, list)) or not self.texts.flags(value) & TEMPLATE:
            return False
        if isinstance(value, dict):
            return any(versions.mentioned(key) for key in value) or any(map(self._mentions_versions, value.values()))
        return any(map(self._mentions_versions, value))

    def _track(self, occasion: Occasion) -> str:
        """The version track that counts: the stack's own for `describe component`; `describe stacks` doesn't look at it."""
        merged = occasion.site.file.merged
        return versions.asserted(merged.value) if occasion.is_described and merged is not None else ""

    def _settled(self, occasion: Occasion, entry: Map, here: functions.Here, host: _Host, data: Map) -> Map:
        def evaluate(text: str) -> Any:
            return functions.value(self._rendered_alone(occasion, text, data, host), here)

        return deferred.settled(entry, occasion.site.built.late, evaluate, lose=occasion.lose)

    def _rendered_alone(self, occasion: Occasion, text: str, data: Map, host: _Host) -> str:
        if self.settings.left not in text or not self.settings.enabled:
            return text
        if not occasion.processing.templates:
            if not occasion.is_described:
                data = {**data}
            else:
                raise EstateError(
                    "cannot resolve deferred !template value: template context is unavailable because template processing was "
                    f'disabled for this invocation: "{text}"',
                    code="TEMPLATE",
                )
        options = Options(
            sprig=self.settings.sprig,
            gomplate=self.settings.gomplate,
            left=self.settings.left,
            right=self.settings.right,
            environment=self.environment,
            pure=not self.strict,
        )
        try:
            found = round_trip({"value": text}, data, _LATE_NAME, options, templates=self.templates, texts=self.texts, host=host)
        except EstateError as error:
            words = f"failed to render template with datasources: failed to render deferred YAML function value: {error.message}"
            raise EstateError(words, code=_reason(error, host).code, hint=error.hint) from error
        return str(found["value"])

    def _here(self, occasion: Occasion, entry: Map) -> functions.Here:
        raw, metadata = occasion.site.built.entry, entry.get("metadata")
        return functions.Here(
            component=occasion.site.built.name,
            stack=occasion.stack,
            env=raw["env"] if isinstance(raw.get("env"), dict) else EMPTY,
            metadata=metadata if isinstance(metadata, dict) else EMPTY,
            lookup=self.lookup,
            describe=self.describe,
            query=self.templates.engine.query if self.templates.engine is not None else None,
            version=self._locked(occasion) if self.tracker is not None else None,
            environment=self.environment,
            skip=occasion.processing.skip,
            error_mode=occasion.processing.error_mode,
            enabled=occasion.site.built.metadata.get("enabled") is not False,
            lose=occasion.lose,
            texts=self.texts,
        )

    def _locked(self, occasion: Occasion) -> Callable[[str], str]:
        def locked(name: str) -> str:
            assert self.tracker is not None
            return self.tracker.locked(name, self._track(occasion))

        return locked

    def _check_selectors(self, site: Site) -> None:
        """Insist in strict reading that tags and labels select without being evaluated; those that stacks share once."""
        metadata = site.built.metadata
        if not self._checks_selectors:
            return
        for key in ("tags", "labels"):
            value = metadata.get(key)
            if value and self._selectors.get(id(value)) is not value:
                delimiters = (self.settings.left, self.settings.right)
                selectors.check({key: value}, site.built.name, site.file.name, delimiters)
                self._selectors[id(value)] = value

    def host(self, occasion: Occasion, entry: Map) -> TemplateHost:
        """Return who answers what an entry's templates ask."""

        def described(component: str, stack: str, function: str) -> Map:
            found = self.describe(component, stack, function)
            return found if self.strict else _marked(found)

        def resolved(text: str) -> Any:
            return functions.value(text, replace(self._here(occasion, entry), skip=frozenset(), enabled=True, lose=None))

        return TemplateHost(
            self.lookup,
            describe=described,
            resolve=resolved,
            datasources={**self.settings.datasources, **templates.datasources_of(_template_settings(entry))},
            directory=self.config.directory,
            is_enabled=occasion.site.built.metadata.get("enabled") is not False,
        )

    def _instance(self, site: Site, stack: str, entry: Map) -> ResolvedInstance:
        built, file = site.built, site.file
        merged = file.merged
        assert merged is not None
        metadata = built.metadata
        mention = merged.mentions.get((built.type, built.name))
        return ResolvedInstance(
            stack=stack,
            type=built.type,
            name=built.name,
            component=built.component,
            sections=entry,
            abstract=built.is_abstract,
            enabled=metadata.get("enabled") is not False,
            locked=metadata.get("locked") is True,
            bases=built.chain.names,
            manifest=file.file,
            location=mention.location(("components", built.type, built.name)) if mention else None,
        )

    def _declared(self, site: Site, entry: _Entry) -> Iterator[Declared]:
        yield from dependencies.declared(entry.value)
        yield from dependencies.beside(_beside(site))
        if site.file.has_text:
            yield from dependencies.inferred(site.built, entry.rendered, entry.asked, self.texts, site.named.stack)


def _beside(site: Site) -> Any:
    """The `depends_on` of a component or of the nearest base that has one, which no section of the entry keeps."""
    assert site.file.merged is not None
    kinds = site.file.merged.value.get("components")
    components = kinds.get(site.built.type) if isinstance(kinds, dict) else None
    if not isinstance(components, dict):
        return None
    for name in (site.built.name, *site.built.chain.names):
        written = components.get(name)
        if isinstance(written, dict) and "depends_on" in written:
            return written["depends_on"]
    return None


class _Host:
    """The host of one entry's templates, made when the first of them asks; most don't."""

    def __init__(self, evaluation: Evaluation, occasion: Occasion, entry: Map) -> None:
        self._made: TemplateHost | None = None
        self._how = (evaluation, occasion, entry)

    def __call__(self, function: str, arguments: Sequence[Any]) -> Any:
        if self._made is None:
            evaluation, occasion, entry = self._how
            self._made = evaluation.host(occasion, entry)
        return self._made(function, arguments)

    @property
    def lacks_outputs(self) -> bool:
        """Tell whether outputs were asked for which nobody gives."""
        return self._made is not None and self._made.lacks_outputs

    def forget(self) -> None:
        """Begin anew with a further text: what another one lacked is no reason for it."""
        if self._made is not None:
            self._made.lacks_outputs = False


class Watchful(Templates):
    """Renders for lenient reading: what is made of text that nobody could evaluate is deferred itself."""

    def __init__(self, templates: Templates) -> None:
        super().__init__(templates.engine)

    def render(self, text: str, name: str, data: Mapping[str, Any], options: Options = PLAIN, host: Host | None = None) -> str:
        """Render; raises NotGiven where the result holds what is unknown."""
        if isinstance(host, _Host):
            host.forget()
        found = super().render(text, name, data, options, host)
        if UNKNOWN in found:
            raise NotGiven("it is made of what is not known here")
        if isinstance(host, _Host):
            host.forget()
        return found


def environment(lookup: Lookup) -> Mapping[str, str] | None:
    """Return what a lookup tells of the process's variables; None where it tells nothing."""
    try:
        return lookup.environment()
    except NotGiven:
        return None


def _reason(error: EstateError, host: _Host) -> EstateError:
    """Return the error as what it is for a reader: the engine words a circle or an unknown output as a failure of its own."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, EstateError) and cause.code in ("CYCLE", "DEFERRED"):
            return EstateError(error.message, code=cause.code, hint=cause.hint)
        cause = cause.__cause__
    if host.lacks_outputs and error.code == "TEMPLATE":
        return EstateError("the outputs of another component are not known here", code="DEFERRED")
    return error


def _template_settings(entry: Map) -> Map:
    """The component's own `settings.templates.settings`."""
    value: Any = entry.get("settings")
    for key in ("templates", "settings"):
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else EMPTY


def _deferred_at(value: Any, paths: set[Path]) -> Any:
    """Return a value with its texts at some paths as deferred ones."""
    if () in paths:
        return DeferredText(value) if isinstance(value, str) else value
    below: dict[str | int, set[Path]] = {}
    for path in paths:
        below.setdefault(path[0], set()).add(path[1:])
    if isinstance(value, dict):
        return {key: _deferred_at(item, below[key]) if key in below else item for key, item in value.items()}
    if isinstance(value, list):
        return [_deferred_at(item, below[number]) if number in below else item for number, item in enumerate(value)]
    return value


def _marked(value: Any) -> Any:
    """Return an entry for templates, with deferred text marked as unknown."""
    if isinstance(value, DeferredText):
        return UNKNOWN + value
    if isinstance(value, dict):
        changed = {key: new for key, item in value.items() if (new := _marked(item)) is not item}
        return {**value, **changed} if changed else value
    if isinstance(value, list):
        items = [_marked(item) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    return value


def _circle(chain: Sequence[tuple[str, str, str]]) -> EstateError:
    lines = []
    for number, (component, stack, function) in enumerate(chain, 1):
        closing = " (cycle detected)" if number == len(chain) else ""
        lines.append(f"  {number}. Component '{component}' in stack '{stack}'{closing}\n     → {function}")
    words = "circular dependency detected in identity chain: circular dependency detected in identity chain\n\nDependency chain:\n"
    return EstateError(words + "\n".join(lines), code="CYCLE", hint="Break the circle: one of them must not read the other.")
