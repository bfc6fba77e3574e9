"""Answers what the templates of one entry ask beyond their data: other components, stores, datasources, files, functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from catalog.errors import EstateError, NotGiven
from catalog.stacks.files import join
from catalog.stacks.lookup import Deferred, Lookup, Target
from catalog.stacks.merging import EMPTY, Map
from catalog.stacks.outputs import static_outputs

# What a component that metadata disables gets of every other one.
_OF_A_DISABLED = ("backend", "env", "hooks", "metadata", "outputs", "overrides", "providers", "settings", "vars")
# Stands before text that nobody could evaluate, so that what is rendered from it is known to be no answer.
UNKNOWN = "\uf8ff"


class TemplateHost:
    """Answers by full name. `describe` gives another component's entry, `resolve` what a function's text gives.

    `datasources` are gomplate's by alias, `directory` is where relative paths begin. `is_enabled` is False for the templates of
    a component that metadata disables. `lacks_outputs` tells that outputs were asked for which nobody gives.
    """

    def __init__(
        self,
        lookup: Lookup,
        *,
        describe: Callable[[str, str, str], Map],
        resolve: Callable[[str], Any],
        datasources: Mapping[str, Any],
        directory: str,
        is_enabled: bool,
    ) -> None:
        self.lookup = lookup
        self.describe = describe
        self.resolve = resolve
        self.datasources = dict(datasources)
        self.directory = directory
        self.is_enabled = is_enabled
        self.lacks_outputs = False

    def __call__(self, function: str, arguments: Sequence[Any]) -> Any:
        """Return the answer; raises NotGiven where nobody was handed in that may answer, EstateError where that fails."""
        answer = _ANSWERS.get(function)
        if answer is None:
            raise NotGiven(f"{function} is not answered here")
        return answer(self, *arguments)

    def component(self, component: Any, stack: Any) -> Map:
        """Return another component's sections, with its outputs where it is Terraform's."""
        if not self.is_enabled:
            return dict.fromkeys(_OF_A_DISABLED, EMPTY)
        named = f"atmos.Component({component}, {stack})"
        text = f'atmos.Component "{component}" "{stack}"'
        try:
            entry = self.describe(str(component), str(stack), text)
        except NotGiven:
            raise
        except EstateError as error:
            is_unknown = error.code == "UNKNOWN_COMPONENT"
            words = f"failed to describe component: {named}: " if is_unknown else f"{named} failed: "
            raise EstateError(words + error.message, code=error.code, hint=error.hint) from error
        info = entry.get("component_info")
        if isinstance(info, dict) and info.get("component_type") != "terraform":
            return entry
        static = static_outputs(entry)
        if static is not None:
            return {**entry, "outputs": static}
        try:
            found = self.lookup.outputs(Target(component=str(component), stack=str(stack), entry=entry, function=text))
        except NotGiven:
            self.lacks_outputs = True
            return {**entry, "outputs": f"{UNKNOWN}{text}.outputs"}
        except EstateError as error:
            words = f"{named} failed to get terraform outputs: {error.message}"
            raise EstateError(words, code=error.code, hint=error.hint) from error
        return {**entry, "outputs": dict(found or EMPTY)}

    def function(self, text: Any) -> Any:
        """Return what a YAML function gives now."""
        found = self.resolve(str(text))
        if isinstance(found, Deferred):
            raise NotGiven(f"{found} is not evaluated here")
        return found

    def store(self, name: Any, stack: Any, component: Any, key: Any) -> Any:
        """Return a value of a store; null where it has none."""
        path = (str(stack), str(component), str(key))
        try:
            return self.lookup.store(str(name), path, f"atmos.Store({name}, {', '.join(path)})")
        except KeyError:
            return None

    def datasource(self, alias: Any, *more: Any) -> Any:
        """Return a datasource's data."""
        return self.lookup.datasource(str(alias), self._address(str(alias)), tuple(map(str, more)))

    def included(self, alias: Any, *more: Any) -> Any:
        """Return a datasource's text."""
        address = self._address(str(alias))
        address += ("&" if "?" in address else "?") + "type=text/plain"
        return self.lookup.datasource(str(alias), address, tuple(map(str, more)))

    def defined(self, alias: Any, address: Any) -> str:
        """Define a datasource for the rest of the template."""
        self.datasources.setdefault(str(alias), {"url": str(address)})
        return ""

    def is_defined(self, alias: Any) -> bool:
        """Tell whether there is a datasource of that alias."""
        return str(alias) in self.datasources

    def is_reachable(self, alias: Any, *more: Any) -> bool:
        """Tell whether a datasource can be read."""
        try:
            self.datasource(alias, *more)
        except NotGiven:
            raise
        except EstateError:
            return False
        return True

    def aliases(self) -> list[str]:
        """Return the aliases of all datasources."""
        return sorted(self.datasources)

    def text_of(self, path: Any) -> str:
        """Return a file's text."""
        content = self.lookup.file(self._path(path))
        if content is None:
            raise EstateError(f"open {path}: no such file or directory", code="TEMPLATE")
        return content.decode("utf-8", "replace")

    def has_file(self, path: Any) -> bool:
        """Tell whether there is a file."""
        return self.lookup.file(self._path(path)) is not None

    def _address(self, alias: str) -> str:
        source = self.datasources.get(alias)
        if source is None and "://" not in alias:
            raise EstateError(f"Undefined datasource '{alias}'", code="TEMPLATE")
        address = source.get("url") if isinstance(source, dict) else alias
        return address if isinstance(address, str) else ""

    def _path(self, path: Any) -> str:
        return join(self.directory, str(path)) if not str(path).startswith("/") else str(path)


_ANSWERS: Mapping[str, Callable[..., Any]] = {
    "atmos.Component": TemplateHost.component,
    "atmos.Resolve": TemplateHost.function,
    "atmos.Store": TemplateHost.store,
    "atmos.GomplateDatasource": TemplateHost.datasource,
    "datasource": TemplateHost.datasource,
    "ds": TemplateHost.datasource,
    "include": TemplateHost.included,
    "defineDatasource": TemplateHost.defined,
    "datasourceExists": TemplateHost.is_defined,
    "datasourceReachable": TemplateHost.is_reachable,
    "listDatasources": TemplateHost.aliases,
    "file.Read": TemplateHost.text_of,
    "file.Exists": TemplateHost.has_file,
}
