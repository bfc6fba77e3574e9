"""What a token's secret is made of."""

from __future__ import annotations

import pytest

from catalog import errors
from catalog.access import principals, tokens


def test_a_secret_is_random_and_recognisable():
    """Each secret begins with `atc_` and carries 256 random bits."""
    secrets = {tokens.generate() for _ in range(100)}
    assert len(secrets) == 100
    assert all(secret.startswith("atc_") and len(secret) == 47 for secret in secrets)


def test_the_hash_is_not_the_secret():
    """What is stored is 32 bytes that don't contain the secret."""
    secret = tokens.generate()
    assert len(tokens.hashed(secret)) == 32
    assert secret.encode() not in tokens.hashed(secret)


@pytest.mark.parametrize("text", ["", "ada", "@x", "x@", "a b@c", "ada@exa mple"])
def test_what_is_no_address_is_refused(text):
    """An e-mail address has something on both sides of its @ and no space."""
    with pytest.raises(errors.Invalid) as caught:
        principals.normal(text)
    assert caught.value.path == ("email",)


def test_an_address_has_one_spelling():
    """Case and surrounding space make no second principal."""
    assert principals.normal(" Ada@Example.ORG ") == "ada@example.org"
