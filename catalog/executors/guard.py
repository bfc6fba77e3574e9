"""The guard: a small process between a worker and the program it runs. A script of its own, standard library only.

    python -I -S guard.py GRACE COMMAND…

It waits for a byte on its input, so that the worker can write down who will work before the work begins. Then it runs the command
and passes its output on. When its input ends, because the worker closed it or died, or when it is told to end, it interrupts the
command as a person would (terraform then finishes what is in flight, writes its state and lets go of its lock), drains its output
so that no broken pipe kills it, and only after GRACE seconds ends it hard. Its exit code is the command's, or 128 + signal.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time

_TICK = 0.2  # seconds between looks at the clock and the child
_LAST = 5.0  # seconds from the second, hard interrupt to the kill
_NOT_FOUND = 127


class Guard:
    """One command under guard."""

    def __init__(self, grace: float, command: list[str]) -> None:
        self.child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 — this process has one thread
        )
        self.grace = grace
        self.asked: float | None = None  # when the command was asked to end
        self.insisted = False
        self.speaking = 2  # output streams that the command still holds open
        self.open = {1: True, 2: True}

    def run(self) -> int:
        """Pass output on until the command has ended; return its exit code."""
        with selectors.DefaultSelector() as selector:
            selector.register(0, selectors.EVENT_READ, 0)
            selector.register(_pipe(self.child.stdout), selectors.EVENT_READ, 1)
            selector.register(_pipe(self.child.stderr), selectors.EVENT_READ, 2)
            while self.child.poll() is None:
                self._listen(selector, _TICK if self.speaking else 0)
                if not self.speaking:  # it is about to end: wait for that, not for the next tick
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        self.child.wait(_TICK)
                self._insist()
            # What orphans of the command still hold open is not waited for.
            while self._listen(selector, 0):
                pass
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.child.pid, signal.SIGKILL)
        code = self.child.returncode
        return code if code >= 0 else 128 - code

    def stop(self) -> None:
        """Ask the command to end, once."""
        if self.asked is None:
            self.asked = time.monotonic()
            self._signal(signal.SIGINT)

    def _insist(self) -> None:
        if self.asked is None:
            return
        waited = time.monotonic() - self.asked
        if waited > self.grace + _LAST:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.child.pid, signal.SIGKILL)
        elif waited > self.grace and not self.insisted:
            self.insisted = True
            self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.child.send_signal(number)

    def _listen(self, selector: selectors.BaseSelector, timeout: float) -> bool:
        """Pass on what has come; tell whether some output has."""
        heard = False
        for key, _ in selector.select(timeout):
            content = os.read(key.fd, 65536)
            if not content:
                selector.unregister(key.fd)
                self._ended(key.data)
            elif key.data != 0:
                heard = True
                self._pass_on(key.data, content)
        return heard

    def _ended(self, stream: int) -> None:
        if stream == 0:
            self.stop()
        else:
            self.speaking -= 1

    def _pass_on(self, target: int, content: bytes) -> None:
        while content and self.open[target]:
            try:
                content = content[os.write(target, content) :]
            except OSError:  # nobody reads any more
                self.open[target] = False


def _pipe(file: object) -> int:
    return file.fileno()  # type: ignore[attr-defined,no-any-return]


def _die_with_parent() -> None:
    """Let the kernel interrupt the command should the guard itself be killed. Linux only; elsewhere its broken pipe must do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGINT)  # PR_SET_PDEATHSIG


def main(arguments: list[str]) -> int:
    """Wait for the word, run the command, return its exit code."""
    os.umask(0o077)  # states, plans and caches are the owner's alone
    if not os.read(0, 1):
        return 0  # the worker changed its mind, or died
    try:
        guard = Guard(float(arguments[0]), arguments[1:])
    except OSError as error:
        os.write(2, f"{arguments[1]}: {error.strerror}\n".encode())
        return _NOT_FOUND
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: guard.stop())
    return guard.run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
