"""The git program and real repositories: reading, committing, pushing, and every way to fail."""

from __future__ import annotations

import os
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from catalog.errors import Conflict, Invalid, NotFound, Unavailable
from catalog.gitops import Repository, Signature, git

ADA = Signature(name="Ada Moreno", email="ada@fnx.example")


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    """A plain directory with an estate, and things beside it that are none."""
    directory = tmp_path / "estate"
    files = {
        "atmos.yaml": "base_path: .\n",
        "stacks/dev.yaml": "vars: {stage: dev}\n",
        "stacks/.hidden.yaml": "{}\n",
        "stacks/café.yaml": "{}\n",
        "components/terraform/vpc/main.tf": "# vpc\n",
        "components/terraform/vpc/terraform.tfstate": "{}",
        "components/terraform/vpc/backend.tf.json": "{}",
        "components/terraform/vpc/dev.terraform.tfvars.json": "{}",
        "components/terraform/vpc/.terraform/modules.json": "{}",
        ".git/config": "",
        ".catalog/token": "secret",
        ".venv/x.py": "",
        "Makefile": "up:\n",
    }
    for path, content in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_text(content)
    script = directory / "components/terraform/vpc/run.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    (directory / "stacks/link.yaml").symlink_to("dev.yaml")
    (directory / "stacks/outside.yaml").symlink_to("/etc/hostname")
    return directory


@pytest.fixture
def repository(tmp_path: Path, estate: Path) -> Repository:
    """A managed repository made from the estate."""
    made = Repository(tmp_path / "managed.git")
    made.init_from(estate, "Example estate", include=["atmos.yaml", "stacks", "components"])
    return made


@pytest.fixture
def clone(tmp_path: Path, repository: Repository) -> Repository:
    """A clone of it over file://."""
    cloned = Repository(tmp_path / "clone.git")
    cloned.clone(f"file://{repository.path}")
    return cloned


def fsck(repository: Repository) -> str:
    """What git says of a repository's soundness: nothing, when it is sound."""
    done = subprocess.run(["git", "fsck", "--strict", "--full"], cwd=repository.path, capture_output=True, text=True, check=False)
    return done.stdout.replace("dangling", "").strip() if done.returncode == 0 else done.stderr + done.stdout


# --- Making one ---------------------------------------------------------------------------------------------------------


def test_first_commit_holds_the_estate_and_nothing_else(repository: Repository):
    """State, generated files, environments, foreign folders and links that lead outside never enter the repository."""
    with repository.tree() as tree:
        paths = list(tree.paths())

    assert paths == [
        "atmos.yaml",
        "components/terraform/vpc/main.tf",
        "components/terraform/vpc/run.sh",
        "stacks/.hidden.yaml",
        "stacks/café.yaml",
        "stacks/dev.yaml",
        "stacks/link.yaml",
    ]


def test_first_commit_is_the_catalogs(repository: Repository):
    """The first commit is number 1 of its branch, written by the catalog itself."""
    commit = repository.commit_info("main")

    assert (commit.number, commit.author, commit.message) == (1, "atmos-catalog <atmos-catalog@localhost>", "Example estate")


def test_a_whole_directory_by_default(tmp_path: Path, estate: Path):
    """Without `include` everything belongs to the estate except what never does."""
    made = Repository(tmp_path / "whole.git", ref="trunk")
    made.init_from(estate, "All")

    with made.tree() as tree:
        assert {"Makefile", "atmos.yaml"} <= set(tree.paths())
        assert not [path for path in tree.paths() if path.startswith((".git/", ".catalog/", ".venv/"))]


def test_a_second_first_commit_is_refused(repository: Repository, estate: Path):
    """A repository that exists is never made anew."""
    with pytest.raises(Conflict, match="already"):
        repository.init_from(estate, "Again")


def test_nothing_half_made_stays(tmp_path: Path, estate: Path):
    """When making a repository fails, nothing is left at its place or beside it."""
    with pytest.raises(Unavailable, match="does not exist"):
        Repository(tmp_path / "new" / "x.git").init_from(estate, "x", include=["nowhere"])

    assert list((tmp_path / "new").iterdir()) == []


def test_unwritable_place_is_named(tmp_path: Path, estate: Path):
    """A place where no repository can be made is an error that names it."""
    (tmp_path / "file").write_text("")

    with pytest.raises(Unavailable, match="no repository can be made"):
        Repository(tmp_path / "file" / "x.git").init_from(estate, "x")


# --- Reading ------------------------------------------------------------------------------------------------------------


def test_tree_gives_bytes_and_blob_ids(repository: Repository):
    """A link reads as what it points to, equal bytes have equal ids, and what isn't there is not found."""
    with repository.tree() as tree:
        assert tree.read("stacks/link.yaml") == b"vars: {stage: dev}\n"
        assert tree.fingerprint("stacks/link.yaml") == tree.fingerprint("stacks/dev.yaml")
        assert tree.fingerprint("nowhere") is None
        with pytest.raises(FileNotFoundError):
            tree.read("nowhere")


def test_tree_serves_threads_and_reads_again_after_close(repository: Repository):
    """Threads share one tree without mixing their bytes; a closed tree opens again."""
    with repository.tree() as tree, ThreadPoolExecutor(8) as pool:
        expected = {path: tree.read(path) for path in tree.paths()}
        tree.close()
        wanted = list(expected) * 40

        assert list(pool.map(tree.read, wanted)) == [expected[path] for path in wanted]


def test_checkout_is_private_and_faithful(tmp_path: Path, repository: Repository):
    """A checkout holds the revision's files with their modes, for its owner alone."""
    place = repository.checkout("main", tmp_path / "work" / "checkout")

    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert (place / "stacks/dev.yaml").read_bytes() == b"vars: {stage: dev}\n"
    assert os.access(place / "components/terraform/vpc/run.sh", os.X_OK)
    assert not (place / ".git").exists()


def test_changed_files_between_revisions(repository: Repository):
    """Two revisions tell which paths differ, added and removed ones too."""
    base = repository.head()
    after = repository.commit(base, {"stacks/new.yaml": b"{}\n", "stacks/café.yaml": None}, message="x")

    assert repository.changed_files(base, after) == ("stacks/café.yaml", "stacks/new.yaml")


# --- Changing -----------------------------------------------------------------------------------------------------------


def test_commit_carries_author_and_trailers(repository: Repository):
    """A commit names its author, the catalog as committer, and trailers that read back and can be searched for."""
    base = repository.head()
    revision = repository.commit(
        base,
        {"stacks/dev.yaml": b"vars: {stage: dev, x: 1}\n"},
        message="Set x",
        trailers=[("Atmos-Request-Id", "req_1"), ("Approved-By", "a@x"), ("Approved-By", "b@x")],
        author=ADA,
    )

    commit = repository.commit_info(revision)
    assert (commit.author, commit.number) == ("Ada Moreno <ada@fnx.example>", 2)
    assert commit.trailers == (("Atmos-Request-Id", "req_1"), ("Approved-By", "a@x"), ("Approved-By", "b@x"))
    assert repository.find("Atmos-Request-Id", "req_1", since=base) == revision
    assert repository.find("Approved-By", "b@x") == revision
    assert repository.find("Atmos-Request-Id", "req_1", since=revision) is None


def test_commit_changes_exactly_its_files(repository: Repository):
    """Other files keep their blobs, and a changed script stays executable."""
    base = repository.head()
    script = "components/terraform/vpc/run.sh"
    revision = repository.commit(base, {script: b"#!/bin/sh\nexit 0\n"}, message="x")

    listed = subprocess.run(["git", "ls-tree", revision, script], cwd=repository.path, capture_output=True, text=True, check=True)
    assert listed.stdout.startswith("100755")
    assert repository.changed_files(base, revision) == (script,)


def test_change_of_nothing_makes_no_commit(repository: Repository):
    """Writing what is there already leaves the branch where it is."""
    base = repository.head()

    assert repository.commit(base, {"stacks/dev.yaml": b"vars: {stage: dev}\n", "nowhere": None}, message="x") == base


def test_moved_branch_keeps_both_changes(repository: Repository):
    """A change made from an older revision is set upon the new tip when its files did not move."""
    base = repository.head()
    repository.commit(base, {"a": b"1\n"}, message="first")
    repository.commit(base, {"b": b"2\n"}, message="second")

    with repository.tree() as tree:
        assert (tree.read("a"), tree.read("b")) == (b"1\n", b"2\n")


def test_clashing_change_is_a_conflict(repository: Repository):
    """A change of a file that somebody else changed since is refused, by name, and nothing moves."""
    base = repository.head()
    tip = repository.commit(base, {"stacks/dev.yaml": b"vars: {stage: test}\n"}, message="first")

    with pytest.raises(Conflict, match=r"stacks/dev\.yaml changed") as caught:
        repository.commit(base, {"stacks/dev.yaml": b"vars: {stage: prod}\n", "b": b"2\n"}, message="second")

    assert caught.value.path == ("stacks/dev.yaml",)
    assert repository.head() == tip


@pytest.mark.parametrize("path", ["../x", "/x", "a/../b", ".git/config", "a/.GIT/hooks/x", "a//b", ""])
def test_path_outside_the_repository_is_refused(repository: Repository, path: str):
    """No change can name a path outside of the estate or inside of git's own folder."""
    with pytest.raises(Invalid):
        repository.commit(repository.head(), {path: b""}, message="x")


def test_four_writers_lose_nothing(repository: Repository):
    """Forty commits by four threads, all from one base, all arrive, and the repository is sound."""
    base = repository.head()

    def write(number: int) -> str:
        return Repository(repository.path).commit(base, {f"stacks/{number}.yaml": b"{}\n"}, message=f"{number}")

    with ThreadPoolExecutor(4) as pool:
        revisions = list(pool.map(write, range(40)))

    assert len(set(revisions)) == 40
    assert repository.commit_info("main").number == 41
    with repository.tree() as tree:
        assert {f"stacks/{number}.yaml" for number in range(40)} <= set(tree.paths())
    assert "error" not in fsck(repository)


# --- Remotes ------------------------------------------------------------------------------------------------------------


def test_clone_commits_to_its_remote(repository: Repository, clone: Repository):
    """A commit in a clone is the remote's tip at once."""
    revision = clone.commit(clone.head(), {"stacks/new.yaml": b"{}\n"}, message="x")

    assert repository.head() == clone.head() == revision


def test_fetch_sees_what_the_remote_has(repository: Repository, clone: Repository):
    """A fetch brings the remote's new tip."""
    tip = repository.commit(repository.head(), {"a": b"1\n"}, message="x")

    assert clone.fetch() == tip


def test_four_clones_lose_nothing(tmp_path: Path, repository: Repository):
    """Twenty pushes from four clones, all from one base, all arrive in the remote."""
    clones = [Repository(tmp_path / f"clone-{number}.git") for number in range(4)]
    bases = [one.clone(str(repository.path)) for one in clones]

    def write(number: int) -> None:
        for count in range(5):
            clones[number].commit(bases[number], {f"stacks/{number}-{count}.yaml": b"{}\n"}, message=f"{number} {count}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))

    assert repository.commit_info("main").number == 21
    assert "error" not in fsck(repository)


def test_clash_with_the_remote_is_a_conflict(repository: Repository, clone: Repository):
    """What somebody pushed meanwhile to the same file is a conflict, and the remote keeps theirs."""
    base = clone.head()
    theirs = repository.commit(base, {"stacks/dev.yaml": b"theirs: 1\n"}, message="theirs")

    with pytest.raises(Conflict):
        clone.commit(base, {"stacks/dev.yaml": b"ours: 1\n"}, message="ours")

    assert repository.head() == theirs


def test_refused_push_leaves_the_branch(repository: Repository, clone: Repository):
    """When the remote refuses, the error says so and the clone's branch has not moved either."""
    tip = repository.head()
    subprocess.run(["git", "config", "receive.hideRefs", "refs/heads/main"], cwd=repository.path, check=True)

    with pytest.raises(Unavailable, match="push failed"):
        clone.commit(tip, {"a": b"1\n"}, message="x")

    assert clone.head() == repository.head() == tip


# --- Failing ------------------------------------------------------------------------------------------------------------


def test_no_git_is_said(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Without a git program the error says so and how to help."""
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(Unavailable, match="no git on PATH"):
        repository.head()


def test_unreachable_remote_is_said(tmp_path: Path):
    """A remote that isn't there is an error with its address, and leaves nothing behind."""
    with pytest.raises(Unavailable, match="nowhere"):
        Repository(tmp_path / "x.git").clone(f"file://{tmp_path}/nowhere.git")

    assert list(tmp_path.iterdir()) == []


def test_credentials_are_in_no_message_and_no_file(tmp_path: Path):
    """Neither an error nor the environment of git in its printed form holds a password or token."""
    repository = Repository(tmp_path / "x.git", token="t0ken-of-mine")

    with pytest.raises(Unavailable) as caught:
        repository.clone("http://user:pa55word@127.0.0.1:9/x.git")

    assert "pa55word" not in str(caught.value)
    assert "t0ken" not in repr(git.Git(directory=tmp_path, environment={"X": "t0ken"}, secrets=("t0ken",)))


def test_no_such_branch(tmp_path: Path, repository: Repository):
    """An estate's branch that isn't there is an error that names it, and nothing is cloned."""
    with pytest.raises(Unavailable, match="no branch 'trunk'"):
        Repository(tmp_path / "x.git", ref="trunk").clone(str(repository.path))

    assert not (tmp_path / "x.git").exists()


@pytest.mark.parametrize("revision", ["nowhere", "--all", "0" * 40, "main:atmos.yaml"])
def test_no_such_revision(repository: Repository, revision: str):
    """A revision that isn't there, or is none, is not found; an option is no revision."""
    with pytest.raises(NotFound):
        repository.resolve(revision)


def test_no_repository(tmp_path: Path):
    """A repository that was never made is an error that names its place."""
    with pytest.raises(Unavailable, match="no repository at"):
        Repository(tmp_path / "nowhere.git").head()


def test_nobodys_configuration_is_read(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A user's git configuration and environment, however hostile, change nothing."""
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "reference-transaction").write_text("#!/bin/sh\nexit 1\n")
    (hooks / "reference-transaction").chmod(0o755)
    (tmp_path / ".gitconfig").write_text(f"[core]\n\thooksPath = {hooks}\n[commit]\n\tgpgSign = true\n[user]\n\tname = Eve\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Eve")

    revision = repository.commit(repository.head(), {"a": b"1\n"}, message="x")

    assert repository.commit_info(revision).author == "atmos-catalog <atmos-catalog@localhost>"


def test_where_the_remotes_branch_is_can_be_asked(tmp_path):
    """The remote's branch or annotated tag is told without bringing anything here; one that isn't there is Unavailable."""
    origin = Repository(tmp_path / "origin.git")
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.yaml").write_text("a: 1\n")
    first = origin.init_from(tmp_path / "files", "first")
    clone = Repository(tmp_path / "clone.git")
    clone.clone(str(origin.path))
    second = origin.commit(first, {"a.yaml": b"a: 2\n"}, message="second")
    assert (clone.remote_head(), clone.head(), origin.remote_head()) == (second, first, second)
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@acme.example")
    subprocess.run(["git", *who, "-C", str(origin.path), "tag", "-a", "v1", "-m", "one", first], check=True)
    assert Repository(clone.path, "v1").remote_head() == first
    with pytest.raises(Unavailable):
        Repository(clone.path, "nowhere").remote_head()
