"""Engines are compiled once per machine, and never by a reader in a hurry."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.engines import answers, cache, hcl
from catalog.errors import Unavailable


def test_an_engine_that_is_not_compiled_is_not_opened(tmp_path: Path) -> None:
    """Opening never compiles by itself: it says that the engine isn't there yet."""
    assert not cache.ready("hcl", tmp_path)
    assert hcl.open_if_ready(tmp_path) is None
    with pytest.raises(Unavailable, match="not compiled yet"):
        hcl.HclEngine(tmp_path)


def test_a_background_process_makes_the_engine_ready(tmp_path: Path) -> None:
    """Another process compiles into the same cache, once; then there is nothing to start."""
    process = cache.compile_in_background(("hcl",), tmp_path)
    assert process is not None
    assert process.wait(timeout=120) == 0

    assert cache.ready("hcl", tmp_path)
    assert cache.compile_in_background(("hcl",), tmp_path) is None
    assert hcl.open_if_ready(tmp_path) is not None


def test_a_damaged_compiled_file_is_made_again(tmp_path: Path) -> None:
    """A truncated or foreign file in the cache costs one more compilation, nothing else."""
    compiled = cache.prepare("hcl", tmp_path)
    compiled.write_bytes(b"rubbish")

    assert hcl.open_if_ready(tmp_path) is None
    assert not cache.ready("hcl", tmp_path)
    assert hcl.open_prepared(tmp_path).parse_module({}).variables == ()


def test_the_shipped_engine_is_the_committed_one() -> None:
    """The compressed engine in the package has the digest that stands beside it, which names its answers too."""
    assert len(cache.digest("hcl")) == 64
    assert cache.keyed("hcl", {"main.tf": "a"}) == cache.keyed("hcl", {"main.tf": "a"}) != cache.keyed("hcl", {"main.tf": "b"})


def test_answers_are_found_again_by_another_process(tmp_path: Path) -> None:
    """What was kept on disk is found by whoever opens the same directory."""
    answers.Answers(tmp_path).keep("abcd", b"{}")

    assert answers.Answers(tmp_path).find("abcd") == b"{}"
    assert answers.Answers(tmp_path).find("abce") is None


def test_answers_without_a_directory_live_in_memory() -> None:
    """A cache without a directory keeps and finds as well."""
    kept = answers.Answers()
    kept.keep("abcd", b"{}")

    assert kept.find("abcd") == b"{}"


def test_answers_that_cannot_be_written_are_only_slower(tmp_path: Path) -> None:
    """A place that can't be written is no error: the answer is still there for this process."""
    (tmp_path / "answers").write_text("a file where a folder should be")
    kept = answers.Answers(tmp_path)
    kept.keep("abcd", b"{}")

    assert kept.find("abcd") == b"{}"
