"""Answers leave in one piece."""

from __future__ import annotations

import asyncio

from catalog.web import joining


class Recorder(asyncio.Transport):
    """What a connection was told, piece by piece."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[bytes | str] = []

    def write(self, data: bytes) -> None:
        self.told.append(bytes(data))

    def close(self) -> None:
        self.told.append("closed")

    def get_write_buffer_size(self) -> int:
        return 0


async def test_what_is_written_in_one_turn_leaves_as_one_piece() -> None:
    """Head and body are one call of the system; what comes in a later turn is another one."""
    recorder = Recorder()
    transport = joining._Joining(recorder, asyncio.get_running_loop())
    transport.write(b"head ")
    transport.writelines([b"bo", b"dy"])
    assert transport.get_write_buffer_size() == 9
    await asyncio.sleep(0)
    transport.write(b"more")
    await asyncio.sleep(0)
    assert recorder.told == [b"head body", b"more"]


async def test_a_connection_is_closed_behind_what_was_written() -> None:
    """Nothing that was said is lost when the connection is closed in the same turn."""
    recorder = Recorder()
    transport = joining._Joining(recorder, asyncio.get_running_loop())
    transport.write(b"last")
    transport.close()
    await asyncio.sleep(0)
    assert recorder.told == [b"last", "closed"]
