import pytest

from catalog.indexer import codeowners
from catalog.stacks.tree import MemoryTree

PATTERNS = [
    ("*", "a/b.yaml", True),
    ("*.js", "a/b.js", True),
    ("*.js", "a/b.jsx", False),
    ("/build/logs/", "build/logs/x/y", True),
    ("/build/logs/", "a/build/logs/x", False),
    ("docs/*", "docs/a", True),
    ("docs/*", "docs/a/b", False),
    ("docs/*", "x/docs/a", False),
    ("apps/", "x/apps/y", True),
    ("apps/", "apps", False),
    ("/apps/web", "apps/web", True),
    ("/apps/web", "apps/web/x", True),
    ("/apps/web", "apps/web-two", False),
    ("**/logs", "a/logs/x", True),
    ("**/logs", "logs", True),
    ("a/**/b", "a/b", True),
    ("a/**/b", "a/x/y/b", True),
    ("/a/**", "a/b/c", True),
    ("/a/**", "a", False),
    ("/x?z", "xyz", True),
    ("/x?z", "x/z", False),
    ("vpc", "components/vpc/main.tf", True),
    ("/*", "a", True),
    ("/*", "a/b", False),
    ("Docs/", "docs/a", False),
    ("/stacks/orgs/*/dev/", "stacks/orgs/acme/dev/x.yaml", True),
]


@pytest.mark.parametrize(("pattern", "path", "matches"), PATTERNS)
def test_patterns_match_as_github_documents_them(pattern, path, matches):
    """A pattern means what GitHub's documentation says: anchored by a slash, folders with what is below, `dir/*` not deeper."""
    found = codeowners.parse(f"{pattern} @acme/web\n", "CODEOWNERS").of(path)

    assert [rule.owners for rule in found] == ([("@acme/web",)] if matches else [])


def test_the_last_rule_that_matches_counts_and_one_without_owners_takes_back():
    """Later rules beat earlier ones; a rule without owners leaves its files without; comments and odd lines are no rules."""
    said = codeowners.parse(
        "# everybody\n*  @acme/all\n\n/stacks/ @acme/stacks ops@acme.example # both\n!/stacks/x @nobody\n/stacks/free/\n",
        "CODEOWNERS",
    )

    assert [rule.owners for rule in said.of("README")] == [("@acme/all",)]
    (rule,) = said.of("stacks/dev.yaml")
    assert (rule.owners, str(rule.location), rule.everything) == (("@acme/stacks", "ops@acme.example"), "CODEOWNERS:4", False)
    assert said.of("stacks/free/x.yaml") == ()


def test_a_pattern_may_hold_blanks():
    """A backslash keeps a blank in a pattern."""
    assert codeowners.parse("/my\\ stacks/ @acme/web\n", "CODEOWNERS").of("my stacks/a")[0].pattern == "/my stacks/"


def test_sections_have_rules_and_owners_of_their_own():
    """Each of GitLab's sections answers for itself; a rule without owners has its heading's; equal names are one section."""
    said = codeowners.parse(
        "* @acme/all\n[Network][2] @acme/net\n/stacks/\n/stacks/dns/ @acme/dns @@maintainer\n^[Data] @acme/data\n*.sql\n[NETWORK]\n/vpc/ @acme/vpc\n",
        "CODEOWNERS",
    )

    assert [rule.owners for rule in said.of("stacks/a")] == [("@acme/all",), ("@acme/net",)]
    assert [rule.owners for rule in said.of("stacks/dns/x.sql")] == [("@acme/all",), ("@acme/dns",), ("@acme/data",)]
    assert [rule.owners for rule in said.of("vpc/a")] == [("@acme/all",), ("@acme/vpc",)]


@pytest.mark.parametrize(
    ("present", "chosen"),
    [
        (("CODEOWNERS", ".github/CODEOWNERS", "docs/CODEOWNERS"), ".github/CODEOWNERS"),
        (("CODEOWNERS", "docs/CODEOWNERS"), "CODEOWNERS"),
        (("docs/CODEOWNERS",), "docs/CODEOWNERS"),
        (("other/CODEOWNERS",), None),
    ],
)
def test_the_file_lies_where_the_hosts_look_first(present, chosen):
    """`.github/` before the root before `docs/`; a file of that name elsewhere says nothing."""
    found = codeowners.read(MemoryTree(dict.fromkeys(present, b"* @acme/web")), ".")

    assert [rule.location.file for rule in found.of("x")] == ([chosen] if chosen else [])


def test_an_estate_in_a_subdirectory_is_ruled_by_its_repository():
    """Paths of the estate are matched from the repository's root, and the rule's place is told relative to the estate."""
    whole = MemoryTree({".github/CODEOWNERS": b"/infra/stacks/ @acme/web\n/stacks/ @acme/other\n", "infra/atmos.yaml": b""})

    (rule,) = codeowners.read(whole, "infra").of("stacks/dev.yaml")

    assert (rule.owners, str(rule.location)) == (("@acme/web",), "../.github/CODEOWNERS:1")


def test_a_folder_is_owned_by_rules_for_it_not_by_rules_for_a_kind_of_file():
    """A component's folder has the owner of what lies in it, whatever its name; `*.tf` is about files."""
    said = codeowners.parse("*.tf @acme/tf\n/components/terraform/vpc/* @acme/net\n", "CODEOWNERS")

    assert [rule.owners for rule in said.of_folder("components/terraform/vpc")] == [("@acme/net",)]
    assert said.of_folder("components/terraform/eks") == ()
