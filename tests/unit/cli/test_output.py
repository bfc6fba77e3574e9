"""Results in each format."""

import json

import pytest

from catalog.cli import output

ROWS = [
    {"name": "vpc", "stack": {"name": "dev"}, "cost": None, "enabled": True},
    {"name": "eks, big", "stack": None, "cost": "5.00", "enabled": False},
]
COLUMNS = ("name", "stack.name", "cost", "enabled")


@pytest.mark.parametrize(
    ("format_", "text"),
    [
        ("table", "NAME      STACK  COST  ENABLED\nvpc       dev          true\neks, big         5.00  false\n"),
        ("csv", 'name,stack,cost,enabled\nvpc,dev,,true\n"eks, big",,5.00,false\n'),
    ],
)
def test_rows_as_text(capsys, format_, text):
    """A table and CSV show the chosen columns, one row a line, nothing for what is unknown."""
    output.rows(ROWS, COLUMNS, format_)
    assert capsys.readouterr().out == text


def test_rows_as_json_are_whole(capsys):
    """JSON keeps everything of each row, in order."""
    output.rows(ROWS, COLUMNS, "json")
    assert json.loads(capsys.readouterr().out) == ROWS


def test_yaml_keeps_order_and_text(capsys):
    """YAML keeps the order of keys, and text that looks like something else stays text."""
    output.document({"b": "yes", "a": "1.10", "ü": None}, "yaml")
    assert capsys.readouterr().out == "b: 'yes'\na: '1.10'\nü: null\n"
