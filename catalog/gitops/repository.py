"""A bare repository that the catalog reads and changes, alone or as the clone of a remote one.

Changes come in as whole files and go out as commits. The branch moves by compare-and-swap (`update-ref NEW OLD` here, a
push that must fast-forward there); whoever loses builds the same files upon the new tip and tries again. Nothing is ever
checked out in the repository itself.
"""

from __future__ import annotations

import fcntl
import random
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path, PurePosixPath

from catalog.errors import Conflict, Invalid, NotFound, Unavailable
from catalog.gitops import commits, diffs, git, objects, remotes, sources
from catalog.gitops.commits import CATALOG, Commit, Signature
from catalog.gitops.trees import GitTree

# With four writers one in three tries loses; thirty lost in a row mean that something else is wrong.
_TRIES = 30
# What a remote says when its branch has moved on, or is just moving.
_LOST_RACE = ("fetch first", "non-fast-forward", "cannot lock ref", "failed to update ref", "stale info")
_LOG_FORMAT = "%H%x00%an <%ae>%x00%cI%x00%(trailers:only=true,unfold=true)%x00%B"
_ASK_SECONDS = 60  # for one line of an answer
_ALL_BRANCHES = "+refs/heads/*:refs/heads/*"


class Repository:
    """One bare repository at `path` and the one branch of it, `ref`, that is the estate's.

    `environment` is added to git's clean environment (an SSH agent's socket, say); `token` is sent to an http remote and
    appears in no argument, message or file.
    """

    def __init__(
        self, path: Path | str, ref: str = "main", *, token: str | None = None, environment: Mapping[str, str] | None = None
    ) -> None:
        self.path = Path(path).absolute()
        self.ref = ref.removeprefix("refs/heads/")
        self._token, self._environment = token, environment or {}
        self._git = remotes.authenticated(self.path, token, self._environment)

    @property
    def branch(self) -> str:
        """The full name of the branch."""
        return f"refs/heads/{self.ref}"

    def exists(self) -> bool:
        """Whether there is a repository at the path."""
        return (self.path / "HEAD").is_file()

    # --- How a repository comes to be ---------------------------------------------------------------------------------

    def init_from(
        self, source: Path | str, message: str, *, include: Sequence[str] | None = None, author: Signature = CATALOG
    ) -> str:
        """Make the repository and put a plain directory into it as its first commit; return the revision.

        `include` names what of the directory belongs to the estate (default: everything but version control, environments,
        state and what terraform writes). The repository appears whole or not at all. Raises Conflict when there is one
        already, Unavailable when the directory or `path` can't be used.
        """
        with self._new(self._token) as fresh:
            fresh.run("init", "--quiet", "--bare", f"--initial-branch={self.ref}", "--template=", str(fresh.directory))
            files = list(sources.files(Path(source), include))
            if not files:
                raise Unavailable(f"{source} holds no file that belongs to an estate")
            blobs = objects.write_blobs(fresh, [content for _, _, content in files])
            entries = (objects.Entry(path=path, mode=mode, blob=blob) for (path, mode, _), blob in zip(files, blobs, strict=True))
            tree = objects.write_tree(fresh, None, entries)
            revision = objects.write_commit(fresh, tree, (), commits.compose(message), author)
            fresh.run("update-ref", self.branch, revision, objects.MISSING)
        return revision

    def clone(self, url: str) -> str:
        """Clone a repository, by URL or path, with all branches; return the revision of `ref`.

        Credentials in an http address serve this object and are written nowhere. Raises Conflict when there is one already,
        Unavailable when the remote doesn't answer or has no such branch.
        """
        address, secret = remotes.split(url)
        token = secret or self._token
        with self._new(token) as fresh:
            arguments = ("clone", "--quiet", "--bare", "--template=", "--", address, str(fresh.directory))
            fresh.run(*arguments, seconds=git.NETWORK_SECONDS)
            fresh.run("config", "remote.origin.url", address)
            revision = self._tip(fresh)
        self._git = remotes.authenticated(self.path, token, self._environment)
        return revision

    @contextmanager
    def _new(self, token: str | None) -> Iterator[git.Git]:
        """A place beside our path that takes its place when the block ends well and is gone when it doesn't."""
        if self.exists():
            raise Conflict(f"there is a repository at {self.path} already")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            place = Path(tempfile.mkdtemp(prefix=f".{self.path.name}-", dir=self.path.parent))
        except OSError as error:
            raise Unavailable(f"no repository can be made at {self.path}: {error.strerror}") from error
        try:
            fresh = remotes.authenticated(place / self.path.name, token, self._environment)
            yield fresh
            fresh.directory.rename(self.path)
        except OSError as error:
            raise Unavailable(f"no repository can be made at {self.path}: {error.strerror}") from error
        finally:
            shutil.rmtree(place, ignore_errors=True)

    # --- Reading ------------------------------------------------------------------------------------------------------

    def remote(self) -> str | None:
        """The remote's address without credentials, or None for a repository that was born here."""
        self._require()
        try:
            return self._git.redact(self._git.attempt("config", "--get", "remote.origin.url").decode().strip())
        except git.GitFailed:
            return None

    def follow(self, url: str) -> None:
        """Take another address for the remote; the next fetch brings what is there. Credentials are kept as `clone` keeps them."""
        self._require()
        address, secret = remotes.split(url)
        self._git.run("config", "remote.origin.url", address)
        self._git = remotes.authenticated(self.path, secret or self._token, self._environment)

    def fetch(self) -> str:
        """Bring every branch of the remote here and return the revision of `ref`; without a remote, just return it."""
        if self.remote() is not None:
            with self._alone():
                arguments = ("fetch", "--quiet", "--prune", "--force", "origin", _ALL_BRANCHES)
                self._git.run(*arguments, seconds=git.NETWORK_SECONDS)
        return self.head()

    def remote_head(self) -> str:
        """The revision that `ref` is at in the remote, without bringing anything here; without a remote, the one here.

        Raises Unavailable when the remote doesn't answer or has no such ref.
        """
        if self.remote() is None:
            return self.head()
        tag = f"refs/tags/{self.ref}"
        listed = self._git.run("ls-remote", "--quiet", "origin", self.branch, tag, f"{tag}^{{}}", seconds=_ASK_SECONDS)
        lines = (line.partition("\t") for line in listed.decode("utf-8", "replace").splitlines())
        found = {name: revision for revision, _, name in lines}
        for name in (self.branch, f"{tag}^{{}}", tag):
            if name in found:
                return found[name]
        raise Unavailable(f"the remote of {self.path.name} has no branch {self.ref!r}", hint="check the estate's `ref`")

    def head(self) -> str:
        """The revision that the branch (or tag) `ref` is at; raises Unavailable when there is no such ref."""
        self._require()
        return self._tip(self._git)

    def _tip(self, program: git.Git) -> str:
        for name in (self.branch, f"refs/tags/{self.ref}"):
            found = program.revision(f"{name}^{{commit}}")
            if found:
                return found
        raise Unavailable(f"the repository {self.path.name} has no branch {self.ref!r}", hint="check the estate's `ref`")

    def resolve(self, revision: str) -> str:
        """The full revision of a branch, tag or abbreviated id; raises NotFound when nothing answers to it."""
        self._require()
        found = self._git.revision(f"{revision}^{{commit}}")
        if not found:
            raise NotFound(f"the repository {self.path.name} has no revision {revision!r}")
        return found

    def commit_info(self, revision: str) -> Commit:
        """Who made a revision, when and why, and its first-parent number."""
        full = self.resolve(revision)
        printed = self._git.run("log", "-1", f"--format={_LOG_FORMAT}", full).decode("utf-8", "replace")
        name, author, time_text, trailers, message = printed.split("\0", 4)
        return Commit(
            revision=name,
            author=author,
            committed_at=datetime.fromisoformat(time_text),
            number=int(self._git.run("rev-list", "--count", "--first-parent", full)),
            message=message.strip(),
            trailers=commits.parse_trailers(trailers),
        )

    def first_parents(self, revision: str, count: int | None = None) -> tuple[str, ...]:
        """A revision and its first parents, the latest first: at most `count` of them, or all."""
        limit = () if count is None else (f"--max-count={count}",)
        return tuple(self._git.run("rev-list", "--first-parent", *limit, self.resolve(revision)).decode().split())

    def find(self, trailer: str, value: str, *, since: str | None = None) -> str | None:
        """The newest revision on the branch, after `since`, with such a trailer: tells whether a change was written already."""
        commits.check_key(trailer)
        span = f"{self.resolve(since)}..{self.head()}" if since else self.head()
        form = f"--format=%H%x00%(trailers:key={trailer},valueonly,unfold,separator=%x00)%x01"
        for entry in self._git.run("log", form, span).decode("utf-8", "replace").split("\x01"):
            revision, *values = entry.strip("\n").split("\0")
            if value in values:
                return revision
        return None

    def tree(self, revision: str | None = None) -> GitTree:
        """The files of a revision (default: the branch's) as a tree that resolving can read."""
        return GitTree(self._git, self.resolve(revision) if revision else self.head())

    def diff(self, base: str, changes: Mapping[str, bytes | None]) -> dict[str, str]:
        """A unified diff for each file that `changes` would make differ from `base`."""
        with self.tree(base) as tree:
            return diffs.of_changes(tree, changes)

    def changed_files(self, base: str, revision: str) -> tuple[str, ...]:
        """The paths that differ between two revisions."""
        ends = (self.resolve(base), self.resolve(revision))
        listed = self._git.run("diff-tree", "-r", "-z", "--name-only", "--no-renames", *ends)
        return tuple(path for path in listed.decode("utf-8", "surrogateescape").split("\0") if path)

    def checkout(self, revision: str, directory: Path | str) -> Path:
        """Write a revision's files into a directory that only its owner may enter, for a program that needs files."""
        target = Path(directory).absolute()
        try:
            target.mkdir(parents=True, exist_ok=True, mode=0o700)
            target.chmod(0o700)
        except OSError as error:
            raise Unavailable(f"nothing can be checked out at {target}: {error.strerror}") from error
        with objects.private_index() as index:
            self._git.run("read-tree", self.resolve(revision), index=index)
            self._git.run("checkout-index", "--all", "--force", index=index, extra={"GIT_WORK_TREE": str(target)})
        return target

    # --- Changing -----------------------------------------------------------------------------------------------------

    def commit(
        self,
        base: str,
        changes: Mapping[str, bytes | None],
        *,
        message: str,
        trailers: commits.Trailers = (),
        author: Signature = CATALOG,
    ) -> str:
        """Set whole files (None removes one) as one commit upon the branch and return its revision.

        `base` is the revision that the changes were made from. Where the branch has moved since, the same files are set
        upon its tip, unless somebody else changed one of them: then Conflict names it. A change that changes nothing makes
        no commit and returns the tip. For a clone the commit counts only once the remote has taken it.
        """
        _check_paths(changes)
        base, text = self.resolve(base), commits.compose(message, trailers)
        blobs = {path: None if content is None else objects.write_blob(self._git, content) for path, content in changes.items()}
        remote = self.remote() is not None
        for attempt in range(_TRIES):
            if attempt:
                time.sleep(random.uniform(0, 0.02 * min(attempt, 10)))  # noqa: S311 — spreads writers, guards nothing
            tip = self.fetch() if remote else self.head()
            now = objects.entries_at(self._git, tip, blobs)
            self._check_unmoved(base, tip, now, blobs)
            tree = objects.write_tree(self._git, tip, _entries(now, blobs))
            if tree == self._git.revision(f"{tip}^{{tree}}"):
                return tip
            revision = objects.write_commit(self._git, tree, (tip,), text, author)
            if self._push(revision) if remote else self._move(revision, tip):
                return revision
        raise Unavailable(f"{self.branch} of {self.path.name} moved at each of {_TRIES} tries", hint="try again later")

    def _check_unmoved(self, base: str, tip: str, now: Mapping[str, objects.Entry], blobs: Mapping[str, str | None]) -> None:
        if base == tip:
            return
        before = objects.entries_at(self._git, base, blobs)
        moved = sorted(path for path, wanted in blobs.items() if _blob(before, path) != _blob(now, path) != wanted)
        if moved:
            raise Conflict(
                f"{', '.join(moved)} changed on {self.ref} since {base[:12]}",
                hint="preview again on the new revision",
                path=tuple(moved),
            )

    def _move(self, revision: str, tip: str) -> bool:
        """Move the branch from tip to revision; False when it is no longer at tip."""
        try:
            self._git.attempt("update-ref", self.branch, revision, tip)
        except git.GitFailed as error:
            if "cannot lock ref" in error.reason:
                return False
            raise self._git.unavailable(error) from error
        return True

    def _push(self, revision: str) -> bool:
        """Have the remote move its branch; False when that would not fast-forward from what it has."""
        try:
            self._git.attempt("push", "--quiet", "origin", f"{revision}:{self.branch}", seconds=git.NETWORK_SECONDS)
        except git.GitFailed as error:
            if any(sign in error.reason for sign in _LOST_RACE):
                return False
            raise self._git.unavailable(error) from error
        self.fetch()
        return True

    def _require(self) -> None:
        if not self.exists():
            raise Unavailable(f"there is no repository at {self.path}")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One fetch at a time: two of them would trip over each other's branch locks."""
        with (self.path / "catalog.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _blob(entries: Mapping[str, objects.Entry], path: str) -> str | None:
    return entries[path].blob if path in entries else None


def _entries(now: Mapping[str, objects.Entry], blobs: Mapping[str, str | None]) -> list[objects.Entry]:
    """What to set in the index: a file that is there keeps its mode."""
    return [
        objects.Entry(path=path, mode="0")
        if blob is None
        else objects.Entry(path=path, mode=now[path].mode if path in now else "100644", blob=blob)
        for path, blob in blobs.items()
    ]


def _check_paths(changes: Mapping[str, bytes | None]) -> None:
    """Refuse paths that git would not keep or that leave the repository."""
    for path in changes:
        parts = PurePosixPath(path).parts
        clean = path == str(PurePosixPath(path)) and not path.startswith("/")
        if not parts or not clean or {"..", ".git"} & {part.lower() for part in parts}:
            raise Invalid(f"{path!r} is no path of a file in a repository", path=(path,))
