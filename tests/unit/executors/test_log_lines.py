"""Terraform's JSON becomes lines for people, without secrets."""

from __future__ import annotations

import json

import pytest

from catalog.executors import log_lines


def test_a_message_is_its_text() -> None:
    """A line of JSON says what terraform would have printed."""
    line = json.dumps({"@level": "info", "@message": "aws_vpc.this: Creating...", "type": "apply_start"})

    assert log_lines.read(line) == (False, ["aws_vpc.this: Creating..."])


def test_an_error_tells_detail_and_place() -> None:
    """A diagnostic brings everything that a person needs to act."""
    diagnostic = {
        "severity": "error",
        "summary": "Bad",
        "detail": "Because\nof this.",
        "range": {"filename": "main.tf", "start": {"line": 3}},
    }
    line = json.dumps({"@level": "error", "@message": "Error: Bad", "type": "diagnostic", "diagnostic": diagnostic})

    assert log_lines.read(line) == (True, ["Error: Bad", "Because", "of this.", "at main.tf:3"])
    assert log_lines.error_of(line) == "Bad: Because of this."


@pytest.mark.parametrize("line", ["plain words", "{not json", '{"other": 1}', "[1]"])
def test_other_lines_say_themselves(line: str) -> None:
    """What isn't one of terraform's messages is passed on as it is."""
    assert log_lines.read(line) == (False, [line])
    assert log_lines.error_of(line) is None


def test_secrets_are_masked_in_every_form_they_take() -> None:
    """Whole, line by line, quoted for JSON, one within another: no form of a secret is shown."""
    mask = log_lines.Mask(["hunter2", "hunter22", 'quo"ted', "-----BEGIN\nline two"])

    assert mask('hunter22 hunter2 quo\\"ted quo"ted') == "******** ******** ******** ********"
    assert mask("x line two y") == "x ******** y"


def test_secrets_learnt_later_are_masked_too() -> None:
    """What a plan reveals as sensitive is masked from then on."""
    mask = log_lines.Mask()
    mask.learn(["hunter2"])

    assert mask("hunter2!") == "********!"


def test_very_short_secrets_do_not_blot_out_the_log() -> None:
    """Masking a letter would hide everything else and tell the letter."""
    assert log_lines.Mask(["a", "1"])("a plan with 1 change") == "a plan with 1 change"


def test_endless_lines_are_cut() -> None:
    """One line can't fill the log."""
    assert len(log_lines.Mask()("x" * 100_000)) < 10_000
