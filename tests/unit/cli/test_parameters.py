"""What `--parameters`, `--set` and `--expires` mean."""

from datetime import timedelta

import pytest

from catalog import errors
from catalog.cli import access, requests


def test_settings_go_into_the_object():
    """Each --set puts one value, read as YAML, at its path into what --parameters gave."""
    given = requests.parameters_of(
        '{"tags": {"a": "1"}, "zones": ["x"]}', ["tags.b=two words", "enabled=false", "count=3", "list=[1, 2]"]
    )
    assert given == {"tags": {"a": "1", "b": "two words"}, "zones": ["x"], "enabled": False, "count": 3, "list": [1, 2]}


def test_parameters_from_a_file(tmp_path):
    """--parameters @FILE reads the object from a file."""
    (tmp_path / "p.json").write_text('{"a": 1}')
    assert requests.parameters_of(f"@{tmp_path}/p.json", []) == {"a": 1}


@pytest.mark.parametrize(
    ("whole", "settings"), [("[1]", []), ("{", []), ("@/nowhere", []), (None, ["a"]), (None, ["=1"]), (None, ["a=1", "a.b=2"])]
)
def test_what_is_no_parameter_is_wrong_use(whole, settings):
    """What can't be read as parameters is refused before anything is sent."""
    with pytest.raises(errors.WrongUse):
        requests.parameters_of(whole, settings)


@pytest.mark.parametrize(
    ("text", "length"), [("30d", timedelta(days=30)), ("12h", timedelta(hours=12)), ("5m", timedelta(minutes=5))]
)
def test_duration(text, length):
    """A token's life is a number and a unit."""
    assert access.duration(text) == length


@pytest.mark.parametrize("text", ["", "d", "30", "0d", "1.5d", "-1d", "1w"])
def test_what_is_no_duration_is_wrong_use(text):
    """Anything else is refused."""
    with pytest.raises(errors.WrongUse):
        access.duration(text)
