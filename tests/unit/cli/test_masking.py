"""Secrets in what is printed."""

from __future__ import annotations

import base64

import pytest

from catalog.cli.masking import Mask
from catalog.stacks.lookup import MASK


@pytest.mark.parametrize(
    "token",
    [
        "AKIA0123456789ABCDEF",
        "ghp_" + "a" * 36,
        "gho_" + "B" * 36,
        "github_pat_" + "a" * 22 + "_" + "b" * 59,
        "glpat-" + "a-_" * 6 + "xy",
        "sk-" + "a" * 48,
        "Bearer abc.DEF-1~+/=",
    ],
)
def test_tokens_are_masked_by_their_form(token: str) -> None:
    """Wherever they stand, and only as far as they reach."""
    assert Mask({})(f'"{token}" stays') == f'"{MASK}" stays'


def test_values_of_certain_variables_are_masked_with_their_encodings() -> None:
    """A token of the process is never printed, nor its base64 or URL form; of an access key only the key itself."""
    secret = 'a b"c\n'
    mask = Mask({"GITHUB_TOKEN": secret, "AWS_ACCESS_KEY_ID": "KEY", "HOME": "/home"})
    encoded = base64.b64encode(secret.encode()).decode()
    assert mask(f'{secret}|{encoded}|{encoded.rstrip("=")}|a+b%22c%0A|a b\\"c\\n|KEY|/home') == "|".join([MASK] * 6 + ["/home"])
    assert base64.b64encode(b"KEY").decode() == mask(base64.b64encode(b"KEY").decode())


def test_learned_values_are_masked_longest_first() -> None:
    """A secret that holds another is masked as one; what is empty masks nothing."""
    mask = Mask({})
    assert mask("outer inner") == "outer inner"
    mask.learn({"a": ["inner", "the inner one"], "b": {"c": 4711.0, "d": None, "e": ""}})
    assert mask("the inner one, inner, 4711") == f"{MASK}, {MASK}, {MASK}"
