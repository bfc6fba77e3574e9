"""What lenient reading could not evaluate of one entry: each told once, with the place where it is written."""

from __future__ import annotations

from catalog.errors import EstateError
from catalog.stacks import provenance
from catalog.stacks.findings import Findings
from catalog.stacks.sites import Site
from catalog.values import Severity, SourceLocation

Path = tuple[str | int, ...]


class Losses:
    """Takes what can't be rendered or evaluated of a site's entry; the text stays. `paths` are those that were lost."""

    def __init__(self, site: Site, findings: Findings) -> None:
        self.site = site
        self.findings = findings
        self.paths: set[Path] = set()

    def lose(self, path: Path, error: EstateError) -> None:
        """Note that the text at a path stays as it is written."""
        self.paths.add(path)
        where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
        if error.code == "DEFERRED":
            # The same line serves many instances; told without them, it is told once.
            self.findings.note(
                Severity.INFO,
                error.code,
                f"{where} stays as written: {error.message}",
                hint="Indexing runs no program, reads no environment and asks no backend.",
                location=self.location(where),
            )
            return
        self.findings.note(
            Severity.WARNING,
            error.code,
            f"{where} stays as written: {error.message}",
            hint=error.hint,
            location=self.location(where),
            stack=self.site.named.stack,
            component=self.site.built.name,
        )

    def location(self, where: str) -> SourceLocation | None:
        """Return where the value at a path (`vars.tags.team`) is written."""
        file, built = self.site.file, self.site.built
        if file.merged is None:
            return None
        told = provenance.trace(file.merged, built, built.entry, where)
        return next((item.location for item in told if item.location is not None), SourceLocation(file=file.file, line=1))


class Nested(Losses):
    """The same for an entry that another one asks for: nothing is told, and what makes a circle is not lost but raised."""

    def __init__(self, site: Site) -> None:
        super().__init__(site, Findings(strict=False))

    def lose(self, path: Path, error: EstateError) -> None:
        """Remember the path; raises the error of a circle, so that all that belong to it are refused alike."""
        if error.code == "CYCLE":
            raise error
        self.paths.add(path)
