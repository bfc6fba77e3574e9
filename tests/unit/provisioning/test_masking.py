"""Literal secrets in shown text."""

import pytest

from catalog.config import DEFAULT_SECRET_KEYS
from catalog.provisioning import masking


def mask(text):
    return masking.mask(text, DEFAULT_SECRET_KEYS)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("vars:\n  db_password: hunter2 # why\n  name: x", "vars:\n  db_password: ********\n  name: x"),
        ('"api_key": "k"', '"api_key": ********'),
        ("login: {user: me, password: hunter2, port: 1}", "login: {user: me, password: ********, port: 1}"),
        ("token: |\n  line one\n\n  line two\nname: x", "token: |\n  ********\n\n  ********\nname: x"),
        ("credentials:\n  user: me\n  pin: 1\nname: x", "credentials:\n  ********\n  ********\nname: x"),
        ("password: !secret db/password", "password: !secret db/password"),
        ("password: '{{ env }}'", "password: ********"),
        ("password: {{ .env }}", "password: {{ .env }}"),
        ("password: a,b}c", "password: ********"),
        ("- token: x\n- {a: 1, token: 'x, y'}", "- token: ********\n- {a: 1, token: ********}"),
        ("password_length: 12", "password_length: 12"),
        ("url: https://host/path", "url: https://host/path"),
    ],
)
def test_secrets_are_stars(text, shown):
    """A value behind a secret key is hidden, however it is written; a reference to one, and everything else, stays."""
    assert mask(text) == shown


def test_lines_stay_lines():
    """Masking keeps every line in its place, so that diffs keep their shape."""
    text = "a:\n  secret: |\n    x\n    y\n  b: 1\n"
    assert mask(text).count("\n") == text.count("\n")
