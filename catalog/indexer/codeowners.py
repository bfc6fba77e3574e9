"""Reads a repository's CODEOWNERS: who reviews which files. Text in, rules out; the last rule that matches a path counts.

The rules are GitHub's: the file lies in `.github/`, at the root or in `docs/`; a pattern is one of gitignore's, without `!` and
`[ ]`; a rule without owners takes ownership back. GitLab's sections are read too: each has owners of its own, and its heading may
name those of rules that name none.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from catalog.indexer import globs
from catalog.stacks.tree import Tree
from catalog.values import SourceLocation

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
LARGEST = 3 * 1024 * 1024  # bytes; GitHub reads no larger file either
_LONGEST_OWNER = 254  # an e-mail address is no longer
_EVERYTHING = frozenset({"*", "**", "/**", "**/*", "/**/*"})
_SECTION = re.compile(r"\^?\[(?P<name>[^\]]+)\](?:\[\d+\])?(?P<owners>(?:\s.*)?)")
# Blanks part a line's words, but not those behind a backslash.
_WORDS = re.compile(r"(?:\\.|[^\s\\])+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Who owns the files that a pattern matches; `everything` tells a bare `*`, which says little about any one file."""

    pattern: str
    owners: tuple[str, ...]
    location: SourceLocation
    everything: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeOwners:
    """The rules of one file, section by section, each in order. `directory` is where the estate lies in the repository."""

    sections: tuple[tuple[Rule, ...], ...] = ()
    directory: str = ""
    _answers: dict[str, tuple[Rule, ...]] = field(default_factory=dict, compare=False, repr=False)

    def of(self, path: str) -> tuple[Rule, ...]:
        """The rules that count for a path of the estate, one of each section that has one."""
        if not self.sections:
            return ()
        known = self._answers.get(path)
        if known is None:
            known = self._answers[path] = tuple(self._matching(f"{self.directory}{path}"))
        return known

    def of_folder(self, folder: str) -> tuple[Rule, ...]:
        """The rules for what lies in a folder of the estate; rules for one kind of file are not its."""
        return self.of(f"{folder.rstrip('/')}/_")

    def _matching(self, path: str) -> Iterator[Rule]:
        for rules in self.sections:
            last = next((rule for rule in reversed(rules) if _matcher(rule.pattern).fullmatch(path)), None)
            if last is not None and last.owners:
                yield last


NONE = CodeOwners()


def read(whole: Tree, directory: str) -> CodeOwners:
    """The rules of a repository for the estate in one of its directories; none without a file that can be read."""
    listed = set(whole.paths())
    place = next((path for path in PLACES if path in listed), None)
    if place is None:
        return NONE
    content = whole.read(place)
    prefix = "" if directory in {".", ""} else f"{directory.strip('/')}/"
    if len(content) > LARGEST:
        return NONE
    return parse(content.decode("utf-8", "replace"), posixpath.relpath(place, prefix or "."), directory=prefix)


def parse(text: str, file: str, *, directory: str = "") -> CodeOwners:
    """Read a file's text; lines that are no rules are left out, as the hosts do."""
    sections: dict[str, list[Rule]] = {"": []}
    name = ""
    default: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        heading = _SECTION.fullmatch(line.strip())
        if heading is not None:
            # Sections of one name are one, in whatever case it is written.
            name, default = heading["name"].strip().lower(), _owners(_words(heading["owners"] or ""))
            sections.setdefault(name, [])
            continue
        rule = _rule(line, default, SourceLocation(file=file, line=number))
        if rule is not None:
            sections[name].append(rule)
    return CodeOwners(sections=tuple(tuple(rules) for rules in sections.values() if rules), directory=directory)


def _rule(line: str, default: tuple[str, ...], location: SourceLocation) -> Rule | None:
    words = list(_words(line))
    if not words or words[0].startswith("!"):
        return None
    pattern = re.sub(r"\\([ #\\])", r"\1", words[0])
    return Rule(pattern=pattern, owners=_owners(words[1:]) or default, location=location, everything=pattern in _EVERYTHING)


def _words(line: str) -> Iterator[str]:
    for match in _WORDS.finditer(line):
        if match[0].startswith("#"):
            return
        yield match[0]


def _owners(words: Iterable[str]) -> tuple[str, ...]:
    """The handles and e-mail addresses; GitLab's roles (`@@maintainer`) name nobody in particular."""
    return tuple(word for word in words if "@" in word and not word.startswith("@@") and len(word) <= _LONGEST_OWNER)


@lru_cache(maxsize=16384)
def _matcher(pattern: str) -> re.Pattern[str]:
    """What a pattern matches: a file, or everything below a directory; `dir/*` only what lies directly in it."""
    path = pattern.strip("/")
    anchored = "/" in pattern.rstrip("/")
    found = globs.expression(path if anchored else f"**/{path}")
    last = path.rsplit("/", 1)[-1]
    if last == "**" or pattern.endswith("/"):
        end = "/.+" if found else ".+"
    else:
        end = "" if last == "*" else "(?:/.*)?"
    return re.compile(found + end, re.DOTALL)
