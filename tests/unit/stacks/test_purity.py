"""Tags and labels choose components before evaluation, so nothing in them may run."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.errors import EstateError
from catalog.stacks import selectors


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("!exec date", "!exec"),
        ("  !terraform.state vpc id", "!terraform.state"),
        ("!aws.region", "!aws.region"),
        ('{{ (datasource "x").a }}', "datasource"),
        ('{{ .vars.a }}-{{ ds "x" }}', "ds"),
        ("{{ now | date }}", "now"),
        ("{{ random.Alpha 5 }}", "random"),
        ("{{ aws.Account }}", "aws"),
        ('{{ (atmos.Component "a" "b").vars.x }}', "atmos.Component"),
        ('{{ $a := atmos }}{{ $a.Store "x" }}', "atmos.Store"),
        ('{{ with $now := "x" }}{{ $now }}{{ end }}{{ randBytes\n3 }}', "randBytes"),
    ],
)
def test_what_executes_or_looks_elsewhere_is_refused(value: str, found: str) -> None:
    """The error names the function, the field, the component and the manifest."""
    with pytest.raises(EstateError) as raised:
        selectors.check({"tags": ["plain", value]}, "vpc", "deploy/dev")
    assert raised.value.message == (
        f'component "vpc" in stack manifest "deploy/dev": forbidden function in labels/tags selector: '
        f'"{found}" is not allowed in metadata.tags'
    )
    assert raised.value.code == "SELECTOR"


@pytest.mark.parametrize(
    "value",
    [
        "now",
        "an !exec inside",
        "",
        "!env HOME",
        "{{ .vars.now }}",
        "{{ .now }}",
        '{{ "now" }}{{ `ds` }}{{/* random.Alpha */}}',
        r'{{ "a \" now" }}',
        "{{ $now }}",
        "{{ .vars.stage | upper }} now",
    ],
)
def test_what_only_looks_like_it_is_fine(value: str) -> None:
    """Fields, texts, comments and variables call nothing, nor does text around actions."""
    selectors.check({"labels": {"a": value}, "tags": [value]}, "vpc", "deploy/dev")


@pytest.mark.parametrize(
    "labels",
    [{"a": {"b": [1, "{{ now }}"]}}, {"{{ now }}": "x"}, ["x", "{{ now }}"], "{{ now }}"],
)
def test_labels_are_looked_through_whole(labels: Any) -> None:
    """Keys and values, at any depth."""
    with pytest.raises(EstateError, match=r'"now" is not allowed in metadata\.labels'):
        selectors.check({"labels": labels}, "vpc", "deploy/dev")


def test_other_metadata_may_call_what_it_likes() -> None:
    """Only tags and labels select."""
    selectors.check({"custom": "{{ now }}", "tags": None, "labels": 5}, "vpc", "deploy/dev")


def test_delimiters_are_those_of_the_estate() -> None:
    """Under others, braces are text and theirs are actions."""
    selectors.check({"tags": ["{{ now }}"]}, "vpc", "deploy/dev", ("<<", ">>"))
    with pytest.raises(EstateError, match='"now"'):
        selectors.check({"tags": ["<< now >>"]}, "vpc", "deploy/dev", ("<<", ">>"))
