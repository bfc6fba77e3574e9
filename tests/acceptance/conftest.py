"""The fixtures of the acceptance floor; what they are made of is in outside.py."""

from __future__ import annotations

from collections.abc import Iterator

import outside
import pytest


@pytest.fixture(scope="session")
def catalog(tmp_path_factory) -> Iterator[outside.Catalog]:
    """One running catalog on the example estate, for every test that only reads or makes requests of its own."""
    with outside.running(tmp_path_factory.mktemp("up") / "home") as ready:
        yield ready
