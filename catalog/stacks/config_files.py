"""The files that make up a configuration: where Atmos looks for them, and how they lie over one another.

From the lowest to the highest: the files of the system and the home directory, those of parent directories, of the working directory,
of what ATMOS_CLI_CONFIG_PATH names, then profiles. Below each file lie what it imports and, lower still, its fragments (`atmos.d`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from catalog.errors import EstateError
from catalog.stacks import config_functions, decoding, documents
from catalog.stacks.config_functions import REMOVED, World
from catalog.stacks.documents import Document
from catalog.stacks.files import Files, extension, join
from catalog.stacks.findings import Findings
from catalog.stacks.merging import EMPTY, Map

NAMES = ("atmos.json", "atmos.yaml", "atmos.yml")
_FRAGMENTS = ("atmos.d", ".atmos.d")
_OF_PARENTS = ("atmos.yaml", ".atmos.yaml")

# Keys whose case is kept, and whose names may hold dots; Atmos' reader lower-cases every other and takes dots for levels.
_CASED = (("env",), ("templates", "settings", "env"), ("auth", "identities"))

# How deep imports may nest, and how many files they may bring: what imports each other in circles ends here.
_DEPTH = 10
_IMPORTED = 1_000


class Configuration:
    """Collects configuration files from the lowest to the highest.

    `values` is what they say together, `sources` the files as they are written; `anchor` is the directory of the last file that was
    looked for by its name, which relative paths start from.
    """

    def __init__(self, files: Files, findings: Findings, world: World, git_root: str | None) -> None:
        self.files = files
        self.findings = findings
        self.world = world
        self.git_root = git_root
        self.values: Map = EMPTY
        self.sources: list[Document] = []
        self.anchor: str | None = None

    def inherit(self, content: bytes, name: str) -> None:
        """Read a file from outside the tree."""
        document = self._parsed(content, name)
        self._add(document, self._evaluated(document))

    def read_directory(self, directory: str) -> bool:
        """Read a directory's configuration; False where it has none."""
        path = next((join(directory, name) for name in NAMES if self.files.has(join(directory, name))), None)
        if path is not None:
            self.read_file(path)
        return path is not None

    def read_file(self, path: str) -> None:
        """Read a file, with its fragments and what it imports below it."""
        folder = path.rpartition("/")[0]
        document = self._document(path)
        value = self._evaluated(document)
        own = values_of(document.value)
        below: Map = EMPTY
        for place in (self.git_root, folder) if self.git_root not in (None, folder) else (folder,):
            below = self.fragments(place or "", below)
        below = self._with_imports(overlaid(below, own), own, folder, below)
        self.sources.append(document)
        self.values = overlaid(self.values, overlaid(below, value))
        self.anchor = folder

    def read_chosen(self, path: str) -> None:
        """Read a file that the caller names: it has no fragments, and what it imports lies over it."""
        document = self._document(path)
        self._add(document, self._evaluated(document))
        own = values_of(document.value)
        self.values = self._with_imports(own, own, path.rpartition("/")[0], self.values)
        self.anchor = path.rpartition("/")[0]

    def fragments(self, directory: str, below: Map) -> Map:
        """Return the values of a directory's fragments laid over others; raises EstateError where one can't be read."""
        for name in _FRAGMENTS:
            folder = join(directory, name)
            if self.files.has_directory(folder):
                below = self._directory(folder, below, name)
        return below

    def _directory(self, folder: str, below: Map, source: str) -> Map:
        found = self._search(join(folder, "**", "*"))
        if not found:
            words = f"failed to search for configuration files in {source}: failed to find matching files: no files matching patterns found"
            self.findings.lose(EstateError(f"failed to parse file: {words}", code="CONFIG"))
        for path in found:
            below = self._fragment(path, below, source)
        return below

    def _fragment(self, path: str, below: Map, source: str) -> Map:
        try:
            document = self._parsed(self.files.tree.read(path), path)
        except EstateError as error:
            words = f"failed to parse file: failed to load configuration file from {source}: {path}: {error.message}"
            self.findings.lose(EstateError(words, code="CONFIG", hint=error.hint, location=error.location))
            return below
        self.sources.append(document)
        return overlaid(below, self._evaluated(document))

    def read_profiles(self, names: Sequence[str], directory: str) -> None:
        """Read profiles over everything else, in order."""
        base = decoding.get(self.values, ("profiles", "base_path"), "")
        places = [place for place in (base if isinstance(base, str) else "", ".atmos/profiles", "profiles") if place]
        for name in names:
            folder = next((found for place in places if self.files.has_directory(found := join(directory, place, name))), None)
            if folder is None:
                available = sorted({each for place in places for each in self._folders(join(directory, place))})
                self.findings.lose(
                    EstateError(
                        f"profile not found: Profile {name} does not exist in any configured location",
                        code="CONFIG",
                        hint=f"Profiles here: {', '.join(available)}." if available else "There are no profiles here.",
                    )
                )
                continue
            self._profile(folder, name)

    def _profile(self, folder: str, name: str) -> None:
        for path in self._search(join(folder, "**", "*")):
            document = self._document(path)
            value = self._evaluated(document)
            own = values_of(document.value)
            below = self._with_imports(own, own, path.rpartition("/")[0], EMPTY)
            self.sources.append(document)
            self.values = overlaid(overlaid(self.values, below), value)
        if not self._search(join(folder, "**", "*")):
            source = f"profile '{name}'"
            words = f"failed to search for configuration files in {source}: failed to find matching files: no files matching patterns found"
            self.findings.lose(EstateError(f"failed to parse file: {words}", code="CONFIG"))

    def _folders(self, directory: str) -> Iterable[str]:
        start = len(directory) + 1 if directory else 0
        return {path[start:].split("/")[0] for path in self.files.below(directory) if "/" in path[start:]}

    def _with_imports(self, known: Map, own: Map, folder: str, below: Map) -> Map:
        """Return what lies below a file with what it imports laid over it. What can't be found or read is passed over."""
        wanted = _texts(known.get("import"))
        start = self.base(decoding.get(known, ("base_path",), ""), folder)
        for path in self._imported(wanted, start, 1) if own or known else ():
            document = self._readable(path)
            if document is not None:
                self.sources.append(document)
                below = overlaid(below, self._leniently(document))
        return below

    def _imported(self, wanted: Sequence[str], start: str, depth: int) -> list[str]:
        """The files that imports mean, each before those that it imports itself: these lie over it."""
        found: list[str] = []
        for written in wanted if depth <= _DEPTH else ():
            for path in self._search(join(start, written)) if written and "://" not in written else ():
                document = self._readable(path)
                if document is None or len(found) > _IMPORTED:
                    continue
                found.append(path)
                value = values_of(document.value)
                declared = value.get("base_path")
                inner = self.base(declared, path.rpartition("/")[0]) if isinstance(declared, str) else start
                found += self._imported(_texts(value.get("import")), inner, depth + 1)
        return found

    def _readable(self, path: str) -> Document | None:
        try:
            return self._parsed(self.files.tree.read(path), path)
        except (EstateError, OSError):
            return None

    def _search(self, path: str) -> list[str]:
        """The YAML files that a path means (a file, a directory, a pattern), shallow ones first; `.yaml` before `.yml` of a name."""
        if self.files.has(path):
            return [path]
        if self.files.has_directory(path):
            path = join(path, "**", "*")
        endings = ("",) if extension(path) else (".yaml", ".yml")
        found = {each: None for ending in endings for each in self.files.find(path + ending)} if not path.startswith("../") else {}
        kept = [each for each in found if not (each.endswith(".yml") and each.removesuffix(".yml") + ".yaml" in found)]
        return sorted(kept, key=lambda each: (each.count("/"), each))

    def base(self, written: Any, folder: str) -> str:
        """Where relative imports start: in the base path of the file that holds them, or that the environment says."""
        said = self.world.environment.get("ATMOS_BASE_PATH", "").strip()
        if said:
            root = self.git_root if self.git_root is not None and not said.startswith(".") else self.world.working
            return join(root, said) if self.files.has_directory(join(root, said)) else join(self.world.working, said)
        text = written if isinstance(written, str) else ""
        if text.startswith(("./", "../")) or text in (".", ".."):
            return join(folder, text)
        root = self.git_root if self.git_root is not None else folder
        return join(root, text) if not text or self.files.has_directory(join(root, text)) else join(self.world.working, text)

    def _document(self, path: str) -> Document:
        try:
            return self._parsed(self.files.tree.read(path), path)
        except EstateError as error:
            shown = f"{self.world.root}/{path}" if self.world.root else path
            words = f"failed to read config: {shown.rpartition('.')[0]}: While parsing config: {error.message}"
            raise EstateError(words, code="CONFIG", hint=error.hint, location=error.location) from error

    def _parsed(self, content: bytes, path: str) -> Document:
        document = documents.load(content, path, marked=True)
        if document.value is not None and not isinstance(document.value, dict):
            kind = "!!seq" if isinstance(document.value, list) else f"!!str {document.value}"
            words = f"yaml: unmarshal errors:\n  line 1: cannot unmarshal {kind} into map[string]interface {{}}"
            raise EstateError(words, code="YAML", location=document.location(()))
        return document

    def _evaluated(self, document: Document) -> Map:
        return values_of(config_functions.evaluated(document, self.world))

    def _leniently(self, document: Document) -> Map:
        """What an imported file says; where one of its functions fails, Atmos takes all of them for plain text."""
        try:
            return self._evaluated(document)
        except EstateError:
            return values_of(config_functions.unevaluated(document.value))

    def _add(self, document: Document, value: Map) -> None:
        self.sources.append(document)
        self.values = overlaid(self.values, value)


def places(files: Files, directory: str, *, git_root: str | None, alone: bool) -> list[str]:
    """The directories that Atmos looks for a configuration in, lowest first. `alone` keeps it from looking anywhere else."""
    own = any(files.has(join(directory, name)) for name in _OF_PARENTS) or any(
        files.has_directory(join(directory, name)) for name in (".atmos", *_FRAGMENTS)
    )
    if own or alone:
        return [directory]
    found = [place for place in (_parent(files, directory), git_root) if place is not None]
    return [*dict.fromkeys(place for place in found if place != directory), directory]


def _parent(files: Files, directory: str) -> str | None:
    """The nearest parent within the tree that has a configuration."""
    while directory:
        directory = directory.rpartition("/")[0]
        if any(files.has(join(directory, name)) for name in _OF_PARENTS):
            return directory
    return None


def overlaid(lower: Map, higher: Map) -> Map:
    """Lay values over others as Atmos' reader does: maps key by key, and nothing but a map in the place of a map."""
    result = dict(lower)
    for key, value in higher.items():
        old = result.get(key)
        if value is REMOVED:
            result.pop(key, None)
        elif isinstance(old, dict):
            if isinstance(value, dict):
                result[key] = overlaid(old, value)
        elif isinstance(value, dict):
            result[key] = overlaid(EMPTY, value)
        else:
            result[key] = value
    return result


def values_of(value: Any) -> Map:
    """Return a document's values as Atmos' reader keeps them: keys in lower case, those with dots as levels."""
    found: Map = lowered(value, ())
    return found


def lowered(value: Any, path: tuple[str, ...]) -> Any:
    """Return a value, or a part of one at a path, as Atmos' reader keeps it."""
    if isinstance(value, list):
        return [lowered(item, path) for item in value]
    if not isinstance(value, dict) or path in _CASED:
        return EMPTY if value is None and not path else value
    result: Map = {}
    for key, item in value.items():
        steps = tuple(key.lower().split(".")) if "." in key.strip(".") else (key.lower(),)
        level = result
        for step in steps[:-1]:
            inner = level.get(step)
            if not isinstance(inner, dict):
                inner = level[step] = {}
            level = inner
        level[steps[-1]] = lowered(item, (*path, *steps))
    return result


def _texts(value: Any) -> list[str]:
    """An `import` as the list that decoding makes of it; none where it would be refused."""
    if isinstance(value, str):
        return value.split(",")
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def promoted(values: Map) -> Mapping[str, str]:
    """The variables of Atmos that the configuration itself sets in `env`; those of the process win."""
    env = values.get("env")
    return {key: str(value) for key, value in env.items() if key.startswith("ATMOS_") and value} if isinstance(env, dict) else {}
