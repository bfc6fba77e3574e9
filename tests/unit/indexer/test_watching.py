"""Which changes of files count, and where a repository on this machine lies."""

import asyncio

import pytest

from catalog.indexer import watching
from catalog.indexer.watching import Place
from catalog.records import Estate


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("stacks/dev.yaml", True),
        ("components/terraform/vpc/main.tf", True),
        ("", True),
        (".git/index", False),
        ("components/terraform/vpc/.terraform/providers/x", False),
        (".catalog/postgres/data/base/1", False),
        ("home/postgres/data/base/1", False),
        ("homestead/x.yaml", True),
        ("../other/x.yaml", False),
    ],
)
def test_files_of_an_estate_count(tmp_path, path, counts):
    """Everything counts but version control, what terraform writes, the catalog's own home, and what lies elsewhere."""
    place = Place(path=tmp_path / "estate", without=(tmp_path / "estate" / "home",))
    assert place.counts(str((tmp_path / "estate" / path).resolve())) is counts


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("refs/heads/main", True),
        ("packed-refs", True),
        ("reftable/tables.list", True),
        ("HEAD", True),
        ("refs/heads/main.lock", False),
        ("objects/ab/cd", False),
        ("index", False),
    ],
)
def test_refs_of_a_repository_count(tmp_path, path, counts):
    """Of a repository only what says where branches are counts, once it is written."""
    assert Place(path=tmp_path, only=watching._REFS).counts(f"{tmp_path}/{path}") is counts


def estate(url, path):
    return Estate(id="e", name="e", organization_id="o", kind="git", url=url, path=path, ref="main", directory=".", writable=True, executor="x", removal_limit=1)  # fmt: skip


def test_a_repository_on_this_machine_is_found(tmp_path):
    """A working tree's and a bare repository's Git directory is found by path and file address; a remote one's isn't here."""
    for git in (tmp_path / "tree" / ".git", tmp_path / "bare with blank.git"):
        (git / "objects").mkdir(parents=True)
        (git / "HEAD").write_text("ref: refs/heads/main\n")
    tree, bare = str(tmp_path / "tree"), str(tmp_path / "bare with blank.git")
    assert watching.local_repository(estate(tree, bare)) == tmp_path / "tree" / ".git"
    assert watching.local_repository(estate(None, bare)) == tmp_path / "bare with blank.git"
    assert watching.local_repository(estate(f"file://{bare}".replace(" ", "%20"), tree)) == tmp_path / "bare with blank.git"
    assert watching.local_repository(estate("https://git.example/x.git", bare)) is None
    assert watching.local_repository(estate("git@git.example:x.git", bare)) is None


async def test_what_happens_once_watching_has_begun_is_noticed(tmp_path):
    """The first notice says that watching has begun; a change from then on is noticed, and the end ends it."""
    shutdown = asyncio.Event()
    notices = watching._notices(Place(path=tmp_path), shutdown)
    assert await anext(notices) is True
    (tmp_path / "a.yaml").write_text("a: 1\n")
    while not await anext(notices):
        pass
    shutdown.set()
    assert [noticed async for noticed in notices if noticed] == []
