"""`catalog schema check` against what was released: real revisions, real exit codes."""

from __future__ import annotations

import json
import subprocess

import pytest
from click.testing import CliRunner

import catalog.graph.schema as room
from catalog.cli import program


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A repository whose last tag holds this version's schema, with its file; the working directory."""
    monkeypatch.chdir(tmp_path)
    git(tmp_path, "init", "--quiet")
    (tmp_path / "schema.graphql").write_text(room.sdl())
    commit(tmp_path)
    return tmp_path


def git(place, *arguments: str) -> None:
    identity = ("-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false")
    subprocess.run(["git", *identity, *arguments], cwd=place, check=True, capture_output=True)


def commit(place) -> None:
    git(place, "add", "--all")
    git(place, "commit", "--quiet", "--message", "schema", "--allow-empty")


def release(place, text: str, tag: str) -> None:
    """Tag a commit that holds another schema, then go back to this version's."""
    (place / "schema.graphql").write_text(text)
    commit(place)
    git(place, "tag", tag)
    (place / "schema.graphql").write_text(room.sdl())
    commit(place)


def check(*arguments: str):
    """Run the check: its exit code, stdout and stderr, as the command's own."""
    invoked = CliRunner().invoke(program.program, ["schema", "check", *arguments])
    code = (
        program.exit_code(invoked.exception) if not isinstance(invoked.exception, (SystemExit, type(None))) else invoked.exit_code
    )
    return code, invoked.stdout, invoked.stderr


# A schema that had a field more: what clients may have used.
RICHER = room.sdl().replace("\ntype Team implements Node {\n", '\ntype Team implements Node {\n  "Gone."\n  motto: String\n\n', 1)


def test_before_the_first_release_there_is_nothing_to_compare_with(checkout) -> None:
    """Without a tag, and outside of any repository, the check says so and passes."""
    code, out, err = check()
    assert (code, out) == (0, "")
    assert "nothing is tagged as released yet" in err


def test_what_the_last_tag_had_may_not_go(checkout) -> None:
    """The nearest tag is what counts: a field that it had and this version hasn't is named with its line there; exit 1."""
    release(checkout, RICHER, "v0.1.0")
    code, out, _ = check()
    line = RICHER.splitlines().index("  motto: String") + 1
    assert code == 1
    assert out.startswith("breaking")
    assert f"v0.1.0:schema.graphql:{line}  Team.motto: Field Team.motto was removed." in out
    release(checkout, room.sdl(), "v0.2.0")
    assert check()[0] == 0
    assert check("--against", "v0.1.0")[0] == 1


def test_a_file_or_a_revision_may_be_named_and_told_as_json(checkout) -> None:
    """--against takes either; --format json names what was compared, every difference and its place."""
    (checkout / "known.graphql").write_text(RICHER)
    code, out, _ = check("--against", "known.graphql", "--format", "json")
    told = json.loads(out)
    assert code == 1
    assert told["against"] == "known.graphql"
    (difference,) = told["differences"]
    assert (difference["severity"], difference["kind"], difference["place"]) == ("breaking", "FIELD_REMOVED", "Team.motto")
    assert difference["location"].startswith("known.graphql:")
    assert check("--against", "HEAD") == (0, "", "compared with HEAD:schema.graphql: 0 differences that clients may feel\n")


def test_what_is_only_dangerous_passes(checkout) -> None:
    """A value that clients don't know yet is told and fails nothing."""
    assert "  HEALTHY\n" in room.sdl()
    before = room.sdl().replace('  """All of it is well."""\n  HEALTHY\n\n', "", 1)
    (checkout / "known.graphql").write_text(before)
    code, out, _ = check("--against", "known.graphql")
    assert code == 0
    assert out.startswith("dangerous")
    assert "ApplicationHealth.HEALTHY" in out


def test_a_stale_export_and_an_unknown_revision_are_told(checkout) -> None:
    """An export that isn't this version's fails before anything is compared; so does a name that nothing answers to."""
    assert check("--against", "nowhere")[0] == 1
    (checkout / "schema.graphql").write_text("type Query { a: Int }\n")
    assert check()[0] == 1
