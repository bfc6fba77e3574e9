"""A revision as a tree of files, read without a checkout: paths from one ls-tree, bytes through one `git cat-file --batch`."""

from __future__ import annotations

import posixpath
import subprocess
import threading
import weakref
from collections.abc import Iterable, Mapping
from typing import Self

from catalog.errors import Unavailable
from catalog.gitops import git

_FILE_MODES = {"100644", "100755", "100664"}
_LINK_MODE = "120000"
_LINK_HOPS = 8


class GitTree:
    """The files of one revision. Any thread may read; close it, or let it go, to end its git process."""

    def __init__(self, program: git.Git, revision: str) -> None:
        self.revision = revision
        self._git = program
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._finalizer: weakref.finalize[..., GitTree] | None = None
        self._blobs: Mapping[str, str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def paths(self) -> Iterable[str]:
        """Every file's path, in lexical order; links to files inside the tree count as files, other links don't."""
        return list(self._listing())

    def read(self, path: str) -> bytes:
        """The file's bytes; raises FileNotFoundError when the revision has no such file."""
        blob = self._listing().get(path)
        if blob is None:
            raise FileNotFoundError(path)
        with self._lock:
            return self._blob(blob)

    def fingerprint(self, path: str) -> str | None:
        """The blob's id: equal ids, equal bytes."""
        return self._listing().get(path)

    def close(self) -> None:
        """End the git process; reading again starts another."""
        with self._lock:
            if self._finalizer is not None:
                self._finalizer()
            self._process = self._finalizer = None

    def _listing(self) -> Mapping[str, str]:
        if self._blobs is None:
            with self._lock:
                if self._blobs is None:
                    self._blobs = self._list()
        return self._blobs

    def _list(self) -> Mapping[str, str]:
        listed = self._git.run("ls-tree", "-r", "-z", "--full-tree", self.revision)
        files, links = {}, {}
        for entry in listed.decode("utf-8", "surrogateescape").split("\0"):
            if entry:
                about, path = entry.split("\t", 1)
                mode, _, blob = about.split(" ")
                if mode in _FILE_MODES:
                    files[path] = blob
                elif mode == _LINK_MODE:
                    links[path] = blob
        targets = {path: self._blob(blob).decode("utf-8", "surrogateescape") for path, blob in links.items()}
        linked = {path: _follow(path, targets) for path in targets}
        files |= {path: files[target] for path, target in linked.items() if target in files}
        return dict(sorted(files.items()))

    def _blob(self, blob: str) -> bytes:
        """Ask the batch process for one blob; the caller holds the lock."""
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(f"{blob}\n".encode())
            process.stdin.flush()
            header = process.stdout.readline().split()
            if len(header) != 3:
                raise Unavailable(
                    f"git has lost object {blob} of {self.revision}", hint="the repository is damaged; run git fsck in it"
                )
            content = process.stdout.read(int(header[2]))
            process.stdout.read(1)
        except BrokenPipeError as error:
            raise Unavailable(f"git ended while {self.revision} was read") from error
        return content

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._process = subprocess.Popen(
                [git.program(), "cat-file", "--batch"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=self._git.child_environment(),
            )
            self._finalizer = weakref.finalize(self, _end, self._process)
        return self._process


def _follow(path: str, targets: Mapping[str, str]) -> str | None:
    """The path a link ends at, or None when it leaves the tree or never ends."""
    for _ in range(_LINK_HOPS):
        if path not in targets:
            return path
        target = targets[path]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        if target.startswith("/") or path.startswith("../"):
            return None
    return None


def _end(process: subprocess.Popen[bytes]) -> None:
    """Close its input, which ends it, and take its status."""
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
