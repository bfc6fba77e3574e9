import json
import stat

from catalog.config import DEFAULT_SECRET_KEYS
from catalog.indexer import redaction
from catalog.indexer.redaction import MARK, Redactor


def redactor(key=b"k" * 32):
    return Redactor(key, DEFAULT_SECRET_KEYS)


def test_secrets_are_redacted_wherever_they_stand():
    """Sensitive variables, secret functions and values under secret keys are replaced, in every section and at every depth."""
    sections = {
        "vars": {
            "db": {"master_password": "hunter2", "port": 5432},
            "pin": 1234,
            "users": [{"api_key": "abc"}],
            "from": "!secret db/pin",
        },
        "env": {"AWS_SECRET_ACCESS_KEY": "wJalr", "TF_LOG": "debug"},
        "settings": {"x": "!store ssm/vpc id"},
    }

    found = redactor().sections(sections, sensitive={"pin", "absent"})

    hidden = [found["vars"]["db"]["master_password"], found["vars"]["pin"], found["vars"]["users"][0]["api_key"], found["vars"]["from"],
              found["env"]["AWS_SECRET_ACCESS_KEY"], found["settings"]["x"]]  # fmt: skip
    assert all(set(value) == {MARK} for value in hidden)
    assert (found["vars"]["db"]["port"], found["env"]["TF_LOG"]) == (5432, "debug")
    text = json.dumps(found)
    assert not any(secret in text for secret in ("hunter2", "1234", "abc", "wJalr", "db/pin", "ssm/vpc"))


def test_equal_secrets_have_equal_hashes_under_one_key_only():
    """Equal secrets compare equal; another key gives other hashes, so that nobody can guess by hashing candidates."""
    one, same, other = redactor().mark("x"), redactor().mark("x"), redactor(b"z" * 32).mark("x")

    assert one == same != other
    assert one != redactor().mark("y")


def test_switches_and_sections_named_like_secrets_stay_readable():
    """Flags, empty values and the sections' own names hide nothing."""
    sections = {
        "secrets": {"stores": ["a"]},
        "vars": {"use_token": True, "password": None, "secret": "", "credentials": {}, "tokens_per_hour": 5},
    }

    assert redactor().sections(sections) == sections


def test_what_needs_nothing_is_shared_and_nothing_is_changed_in_place():
    """Values without secrets are returned as they are, and the input is never changed."""
    shared = {"a": [1, {"b": "c"}]}
    sections = {"vars": {"x": shared, "token": "t"}, "env": shared}

    found = redactor().sections(sections)

    assert found["env"] is shared
    assert found["vars"]["x"] is shared
    assert sections["vars"]["token"] == "t"


def test_the_key_is_made_once_and_is_private(tmp_path):
    """The key is made on first need, is the same ever after, and is readable by its owner alone."""
    path = tmp_path / "home" / "redaction.key"

    key = redaction.read_key(path)

    assert len(key) == 32
    assert redaction.read_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["redaction.key"]
