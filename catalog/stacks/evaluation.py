"""The second stage: each component as it was built, named, rendered and evaluated.

A function or a template may ask for another component of any stack, so entries are evaluated when they are asked for, once each, and
a chain of askers tells a cycle. What an evaluation consulted is kept with its result, for incremental reading.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from catalog.engines.template import Deferred as TemplateDeferred
from catalog.engines.template import Host, Options
from catalog.errors import EstateError
from catalog.stacks import deferred, dependencies, functions, provenance, sections, templates, varfile
from catalog.stacks.atmos_config import AtmosConfig
from catalog.stacks.component_pass import ComponentPass, round_trip
from catalog.stacks.components import Built
from catalog.stacks.dependencies import Declared
from catalog.stacks.findings import Findings
from catalog.stacks.lookup import NOTHING, Lookup, NotGiven, Target
from catalog.stacks.merging import EMPTY, Map
from catalog.stacks.naming import Named, Naming
from catalog.stacks.resolved import ResolvedInstance
from catalog.stacks.stack_files import StackFile
from catalog.stacks.templates import Templates
from catalog.stacks.texts import FUNCTION, TEMPLATE, Texts
from catalog.values import Severity, SourceLocation

_LATE_NAME = "deferred-yaml-function-value"


@dataclass(frozen=True, slots=True, kw_only=True)
class Processing:
    """What is evaluated: templates and functions, but for the functions in `skip` (names without `!`).

    `error_mode` is strict, warn or silent: what a value becomes that a backend can't give yet.
    """

    templates: bool = True
    functions: bool = True
    skip: frozenset[str] = frozenset()
    error_mode: str = "warn"


EVERYTHING = Processing()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A component of a stack file, by its number there."""

    file: StackFile
    number: int

    @property
    def built(self) -> Built:
        """The component as built."""
        return self.file.built[self.number]

    @property
    def named(self) -> Named:
        """The names of its stack."""
        return self.file.named[self.number]


@dataclass(slots=True)
class Consulted:
    """What an evaluation asked for beside its own entry: (component, stack) with the paths of the stack files that answered."""

    asked: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Evaluated:
    entry: Map
    consulted: Mapping[tuple[str, str], frozenset[str]]


class Evaluation:
    """Evaluates the components of one reading."""

    def __init__(
        self,
        stacks: Mapping[str, StackFile],
        config: AtmosConfig,
        naming: Naming,
        *,
        strict: bool,
        engine_templates: Templates,
        texts: Texts,
        lookup: Lookup | None = None,
        processing: Processing | None = None,
        versions: Any = None,
    ) -> None:
        self.stacks = stacks
        self.config = config
        self.naming = naming
        self.strict = strict
        self.templates = engine_templates
        self.texts = texts
        self.lookup: Lookup = lookup or NOTHING
        self.processing = processing or EVERYTHING
        self.versions = versions
        self.settings = templates.Settings.of(config)
        self.environment = _environment(self.lookup)
        self.render = ComponentPass(
            templates=engine_templates, settings=self.settings, texts=texts, environment=self.environment, pure=not strict
        )
        self._done: dict[tuple[int, int], _Evaluated] = {}
        self._chain: list[tuple[str, str, str]] = []
        self._consulted: list[Consulted] = []
        self._by_name: dict[tuple[str, str], list[Place]] | None = None
        self._kept = frozenset(path for path, file in stacks.items() if file.instances or not file.built)

    def finished(self, file: StackFile) -> StackFile:
        """Return a stack file with its instances; in strict reading raises EstateError where Atmos fails."""
        findings = Findings(strict=self.strict)
        consulted: dict[tuple[str, str], frozenset[str]] = {}
        instances: list[ResolvedInstance] = []
        declared: list[tuple[Declared, ...]] = []
        for number in range(len(file.built)):
            place = Place(file=file, number=number)
            entry, rendered = self._entry(place, findings, consulted)
            instance = self._instance(place, entry)
            instances.append(instance)
            declared.append(() if instance.abstract else tuple(self._declared(place, entry, rendered)))
        return replace(
            file,
            instances=tuple(instances),
            declared=tuple(declared),
            consulted=tuple(consulted.items()),
            diagnostics=tuple(dict.fromkeys((*file.diagnostics, *findings.diagnostics))),
        )

    def is_current(self, file: StackFile) -> bool:
        """Tell whether what a finished stack file consulted is still what it was, in files that were not resolved again."""
        return all(
            paths == frozenset(place.file.path for place in self._places(*asked)) and paths <= self._kept
            for asked, paths in file.consulted
        )

    def _entry(self, place: Place, findings: Findings, consulted: dict[tuple[str, str], frozenset[str]]) -> tuple[Map, Map]:
        """Return the evaluated entry, and the same before its functions."""
        entry = self._named(place)
        if not (place.file.has_text and any(self.texts.flags(value) & (TEMPLATE | FUNCTION) for value in entry.values())):
            if not self.processing.templates and not place.built.chain.names:
                entry["inheritance"] = None
            return entry, entry
        asking = Consulted()
        self._consulted.append(asking)
        try:
            return self._evaluated(place, entry, findings)
        finally:
            self._consulted.pop()
            consulted.update(asking.asked)
            if self._consulted:
                self._consulted[-1].asked.update(asking.asked)

    def _named(self, place: Place) -> Map:
        """Return the built entry with the keys that need the stack's name."""
        built, named, manifest = place.built, place.named, place.file.name
        entry = {
            **built.entry,
            "atmos_component": built.name,
            "atmos_stack": named.stack,
            "stack": named.stack,
            "atmos_stack_file": manifest,
            "atmos_manifest": manifest,
            "component_info": self.naming.component_info(built.type, built.entry),
        }
        if built.type == "terraform":
            entry["workspace"] = self.naming.workspace(built.entry, named)
        return entry

    def _evaluated(self, place: Place, entry: Map, findings: Findings) -> tuple[Map, Map]:
        mocks = entry.pop("mocks", None)
        telling = _Telling(self, place, findings)
        lose = None if self.strict else telling.lose
        own_settings = _template_settings(entry)
        host = self._host(place, entry, own_settings, telling)
        rendered = entry
        if not self.processing.templates:
            if not place.built.chain.names:
                rendered = {**rendered, "inheritance": None}
        elif self.settings.enabled:
            rendered = self.render.rendered(
                entry,
                host=host,
                data=self._data(entry),
                variables=templates.environment_of(own_settings),
                lose=lose,
            )
        result = rendered
        if self.processing.functions:
            here = self._here(place, rendered, lose)
            result = functions.evaluated(rendered, here)
            if place.built.late:
                result = self._settled(place, result, here, host)
        if mocks is not None:
            result = {**result, "mocks": mocks}
        return result, rendered

    def _data(self, entry: Map) -> Map:
        """What templates see: the entry, with the version tracker's data where any text mentions it."""
        if self.versions is None:
            return entry
        found: Map = self.versions.data(entry)
        return {**entry, **found} if found else entry

    def _settled(self, place: Place, entry: Map, here: functions.Here, host: Host | None) -> Map:
        def evaluate(text: str, path: tuple[str, ...]) -> Any:
            del path
            if self.settings.left in text and self.processing.templates and self.settings.enabled:
                text = self._rendered_alone(text, entry, host)
            return functions.value(text, here)

        try:
            return deferred.settled(entry, place.built.late, evaluate)
        except EstateError as error:
            if self.strict:
                raise
            if here.lose is not None:
                here.lose((place.built.late[0].section, *place.built.late[0].path), error)
            return entry

    def _rendered_alone(self, text: str, entry: Map, host: Host | None) -> str:
        options = Options(
            sprig=self.settings.sprig,
            gomplate=self.settings.gomplate,
            left=self.settings.left,
            right=self.settings.right,
            environment=self.environment,
            pure=not self.strict,
        )
        found = round_trip({"value": text}, entry, _LATE_NAME, options, templates=self.templates, texts=self.texts, host=host)
        return str(found["value"])

    def _here(self, place: Place, rendered: Map, lose: Any) -> functions.Here:
        raw = place.built.entry
        metadata = rendered.get("metadata")
        return functions.Here(
            component=place.built.name,
            stack=place.named.stack,
            env=raw["env"] if isinstance(raw.get("env"), dict) else EMPTY,
            metadata=metadata if isinstance(metadata, dict) else EMPTY,
            lookup=self.lookup,
            describe=self.describe,
            query=self.templates.engine.query if self.templates.engine is not None else None,
            version=self.versions.version if self.versions is not None else None,
            environment=self.environment,
            skip=self.processing.skip,
            error_mode=self.processing.error_mode if self.strict else "strict",
            enabled=place.built.metadata.get("enabled") is not False,
            lose=lose,
            texts=self.texts,
        )

    def describe(self, component: str, stack: str, function: str) -> Map:
        """Return another component's entry, evaluated, as `describe component` has it; raises EstateError in Atmos' words."""
        places = self._places(component, stack)
        if self._consulted:
            self._consulted[-1].asked[component, stack] = frozenset(place.file.path for place in places)
        link = (component, stack, function)
        if any(asked[:2] == link[:2] for asked in self._chain):
            raise _cycle([*self._chain, link])
        if not places:
            raise EstateError(
                f"Could not find the component {component} in the stack {stack}.\n"
                "Check that all the context variables are correctly defined in the stack manifests.\n"
                "Are the component and stack names correct? Did you forget an import?",
                code="NOT_FOUND",
            )
        place = places[0]
        key = (id(place.file), place.number)
        known = self._done.get(key)
        if known is None:
            consulted: dict[tuple[str, str], frozenset[str]] = {}
            self._chain.append(link)
            try:
                entry, _ = self._entry(place, Findings(strict=self.strict), consulted)
            finally:
                self._chain.pop()
            known = self._done[key] = _Evaluated(self._as_described(place, entry), consulted)
        elif self._consulted:
            self._consulted[-1].asked.update(known.consulted)
        return known.entry

    def _as_described(self, place: Place, entry: Map) -> Map:
        if place.built.type != "terraform":
            return entry
        instance = self._instance(place, entry)
        return {**entry, "workspace": varfile.workspace(instance)}

    def _places(self, component: str, stack: str) -> list[Place]:
        if self._by_name is None:
            self._by_name = {}
            for path in sorted(self.stacks):
                file = self.stacks[path]
                for number, built in enumerate(file.built):
                    place = Place(file=file, number=number)
                    self._by_name.setdefault((built.name, file.named[number].stack), []).append(place)
                    if file.name != file.named[number].stack:
                        self._by_name.setdefault((built.name, file.name), []).append(place)
            for found in self._by_name.values():
                found.sort(key=lambda place: sections.DESCRIBED.index(place.built.type))
        return self._by_name.get((component, stack), [])

    def _host(self, place: Place, entry: Map, own_settings: Map, telling: _Telling) -> Host:
        """Answer what the entry's templates ask."""

        def host(function: str, arguments: Sequence[Any]) -> Any:
            try:
                return self._answer(function, arguments, place, entry, own_settings, telling)
            except NotGiven as error:
                raise TemplateDeferred(error.message) from error

        return host

    def _answer(
        self, function: str, arguments: Sequence[Any], place: Place, entry: Map, own_settings: Map, telling: _Telling
    ) -> Any:
        if function == "atmos.Component":
            return self._component(str(arguments[0]), str(arguments[1]), place, telling)
        if function == "atmos.Resolve":
            return functions.value(str(arguments[0]), self._here(place, entry, None))
        if function == "atmos.Store":
            name, *path = map(str, arguments)
            return self.lookup.store(name, tuple(path), function)
        if function in ("atmos.GomplateDatasource", "datasource", "ds", "include"):
            alias, *more = map(str, arguments)
            sources = {**self.settings.datasources, **templates.datasources_of(own_settings)}
            source = sources.get(alias)
            address = source.get("url") if isinstance(source, dict) else alias
            return self.lookup.datasource(alias, str(address), tuple(more))
        raise NotGiven(f"{function} is not answered here")

    def _component(self, component: str, stack: str, place: Place, telling: _Telling) -> Map:
        if place.built.metadata.get("enabled") is False:
            return {}
        text = f'atmos.Component "{component}" "{stack}"'
        entry = self.describe(component, stack, text)
        info = entry.get("component_info")
        if isinstance(info, dict) and info.get("component_type") != "terraform":
            return entry
        if entry.get("remote_state_backend_type") == "static":
            return {**entry, "outputs": entry.get("remote_state_backend")}
        try:
            outputs = self.lookup.outputs(Target(component=component, stack=stack, entry=entry, function=text))
        except NotGiven:
            telling.lacks_outputs = True
            return {**entry, "outputs": f"{text}.outputs"}
        return {**entry, "outputs": dict(outputs or {})}

    def _instance(self, place: Place, entry: Map) -> ResolvedInstance:
        built, file = place.built, place.file
        merged = file.merged
        assert merged is not None
        metadata = built.metadata
        mention = merged.mentions.get((built.type, built.name))
        return ResolvedInstance(
            stack=place.named.stack,
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

    def _declared(self, place: Place, entry: Map, rendered: Map) -> Iterator[Declared]:
        yield from dependencies.declared(entry)
        if place.file.has_text:
            told: set[tuple[str, str]] = set()
            for source in (rendered, place.built.entry) if rendered is not place.built.entry else (rendered,):
                for found in dependencies.inferred(source):
                    own = "" if found.stack == place.named.stack else found.stack
                    if (found.component, own) not in told and not (source is not rendered and found.is_templated and told):
                        told.add((found.component, own))
                        yield replace(found, stack=own)


class _Telling:
    """Tells what lenient reading lost of one entry, each once, with the place where it is written."""

    def __init__(self, evaluation: Evaluation, place: Place, findings: Findings) -> None:
        self.evaluation = evaluation
        self.place = place
        self.findings = findings
        self.lacks_outputs = False

    def lose(self, path: tuple[str | int, ...], error: EstateError) -> None:
        is_deferred = error.code == "DEFERRED" or self.lacks_outputs
        self.lacks_outputs = False
        where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
        location = self._location(where)
        if is_deferred:
            # The same line serves many instances; told without them, it is told once.
            self.findings.note(
                Severity.INFO,
                "DEFERRED",
                f"{where} stays as written: {error.message}",
                hint="Indexing runs no program, reads no environment and asks no backend.",
                location=location,
            )
            return
        self.findings.note(
            Severity.WARNING,
            error.code,
            f"{where} stays as written: {error.message}",
            hint=error.hint,
            location=location,
            stack=self.place.named.stack,
            component=self.place.built.name,
        )

    def _location(self, where: str) -> SourceLocation | None:
        merged = self.place.file.merged
        if merged is None:
            return None
        told = provenance.trace(merged, self.place.built, self.place.built.entry, where)
        return next(
            (item.location for item in told if item.location is not None), SourceLocation(file=self.place.file.file, line=1)
        )


def _environment(lookup: Lookup) -> Mapping[str, str] | None:
    try:
        return lookup.environment()
    except NotGiven:
        return None


def _template_settings(entry: Map) -> Map:
    """The component's own `settings.templates.settings`."""
    value: Any = entry.get("settings")
    for key in ("templates", "settings"):
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else EMPTY


def _cycle(chain: Sequence[tuple[str, str, str]]) -> EstateError:
    lines = []
    for number, (component, stack, function) in enumerate(chain, 1):
        closing = " (cycle detected)" if number == len(chain) else ""
        lines.append(f"  {number}. Component '{component}' in stack '{stack}'{closing}\n     → {function}")
    words = "circular dependency detected in identity chain: circular dependency detected in identity chain\n\nDependency chain:\n"
    return EstateError(words + "\n".join(lines), code="CYCLE", hint="Break the circle: one of them must not read the other.")
