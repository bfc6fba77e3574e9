"""What goes wrong while reading: strict reading raises it, lenient reading notes it and carries on with the rest."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from catalog.errors import EstateError
from catalog.values import Diagnostic, Severity, SourceLocation


class Findings:
    """The diagnostics of one unit (a manifest, a stack, the estate), in the order in which they were found."""

    def __init__(self, *, strict: bool) -> None:
        self.strict = strict
        self.diagnostics: list[Diagnostic] = []

    def lose(self, error: EstateError, *, stack: str | None = None, component: str | None = None) -> None:
        """Something is lost: raise it in strict reading, else note it as an ERROR."""
        if self.strict:
            raise error
        self.diagnostics.append(diagnostic(error, stack=stack, component=component))

    def note(
        self,
        severity: Severity,
        code: str,
        message: str,
        *,
        location: SourceLocation | None = None,
        hint: str | None = None,
        stack: str | None = None,
        component: str | None = None,
    ) -> None:
        """Something may surprise, and nothing is lost: note it in either mode."""
        self.diagnostics.append(
            Diagnostic(
                severity=severity, code=code, message=message, hint=hint, location=location, stack=stack, component=component
            )
        )


def diagnostic(error: EstateError, *, stack: str | None = None, component: str | None = None) -> Diagnostic:
    """Return an error as the diagnostic it is in lenient reading."""
    return Diagnostic(
        severity=Severity.ERROR,
        code=error.code,
        message=error.message,
        hint=error.hint,
        location=error.location,
        stack=stack,
        component=component,
    )


def ordered(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return diagnostics once each, by file and line."""
    return tuple(sorted(dict.fromkeys(diagnostics), key=_order))


def _order(item: Diagnostic) -> tuple[str, int, str, str, str, str]:
    place = item.location
    file, line = (place.file, place.line or 0) if place else ("", 0)
    return file, line, item.code, item.stack or "", item.component or "", item.message


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that a misspelt one most likely means; None when it is known or nothing is near."""
    words = list(known)
    if word in words:
        return None
    near = get_close_matches(word, words, n=1, cutoff=0.8)
    return near[0] if near else None
