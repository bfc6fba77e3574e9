"""What `catalog up` says when it can't start, and that it then leaves nothing behind."""

import socket

import outside
import pytest

pytestmark = pytest.mark.acceptance


def test_taken_port_is_named(tmp_path):
    """A port that another program listens on is named, with the way out; nothing is written."""
    home = tmp_path / "home"
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = outside.command("up", env=outside.environment(home, port))
    assert done.code == 1
    assert f"can't listen on 127.0.0.1:{port}" in done.err
    assert "CATALOG_PORT" in done.err
    assert not home.exists()


@pytest.mark.parametrize("parent", ["a-file", "/proc/nowhere"])
def test_unwritable_home_is_named(tmp_path, parent):
    """A home that can't be written is named, with the way out."""
    (tmp_path / "a-file").write_text("")
    home = tmp_path / parent / "home"
    done = outside.command("up", env=outside.environment(home, outside.free_port()))
    assert done.code == 1
    assert str(home) in done.err
    assert "CATALOG_HOME" in done.err


@pytest.mark.parametrize("name", ["up", "serve", "worker", "migrate", "index"])
def test_unreachable_database_is_named(tmp_path, name):
    """Without its Postgres each command that needs it says where it looked, and ends; no address with a password is printed."""
    url = f"postgresql://catalog:hunter2@127.0.0.1:{outside.free_port()}/catalog"
    env = outside.environment(tmp_path / "home", outside.free_port(), CATALOG_DATABASE_URL=url)
    done = outside.command(name, env=env)
    assert done.code == 1
    assert "127.0.0.1" in done.err
    assert "hunter2" not in done.err
    assert "Traceback" not in done.err
    assert outside.processes_of(tmp_path / "home") == {}


def test_bad_variable_is_wrong_use(tmp_path):
    """A variable that doesn't hold is named, and ends the command as wrong use."""
    done = outside.command("up", env=outside.environment(tmp_path / "home") | {"CATALOG_PORT": "99999"})
    assert done.code == 2
    assert "CATALOG_PORT is '99999'" in done.err
