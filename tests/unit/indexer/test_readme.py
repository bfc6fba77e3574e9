import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.indexer import readme

SUMMARIES = [
    ("# VPC\n\nA network.\nWith subnets.\n\nMore.", "A network. With subnets."),
    ("# VPC\n[![badge](x)](y)\n\n<br>\n\n- a list\n\nProse.", "Prose."),
    ("# VPC\nStraight below.", "Straight below."),
    ("VPC\n===\n\nUnderlined.", "Underlined."),
    ("VPC\n---\nStraight below a line.", "Straight below a line."),
    ("---\ntags: [vpc]\n---\n\n# Component: `vpc`\n\nMakes a VPC.", "Makes a VPC."),
    ("<!-- a\n\nlong comment -->\n# VPC\n\nMakes one.", "Makes one."),
    ("<!-- BEGIN_TF_DOCS -->\n## Requirements\n\n| Name | Version |\n|---|---|\n| aws | 5 |\n<!-- END_TF_DOCS -->", None),
    ("<!-- BEGIN_TF_DOCS -->\n## Requirements\n\nNo requirements.\n\n## Inputs\n\nSome.\n<!-- END_TF_DOCS -->\n\nAfter.", "After."),
    ("## Requirements\n\nNo requirements.\n\n## Modules\n\nNo modules.\n", None),
    ("##Component: kms\n\nKeys.", "Keys."),
    ("# VPC\n\n```hcl\nmodule x {\n\n}\n```\n\nAfter code.", "After code."),
    ("# VPC\n\n> [!NOTE]\n> Beware.\n\nText.", "Text."),
    ("# VPC\n\n:::info\nBeware.\n:::\n\nText.", "Text."),
    ("# VPC\n\n    indented code\n\nText.", "Text."),
    ("# VPC\n\nThese are made:\n- one\n- two", "These are made:"),
    (
        "# A\n\nUses [the module](https://example.com) with **care** and `count = 1`, *never* `x_y`.",
        "Uses the module with care and count = 1, never x_y.",
    ),
    ("# A\n\n![diagram](x.png)\n\nSee <https://example.com>.", "See https://example.com."),
    ("# A\n\nRuns 2 * 3 * 4 tasks and keeps snake_case_names.", "Runs 2 * 3 * 4 tasks and keeps snake_case_names."),
    ("# A\r\n\r\nWindows.\r\nLines.\r\n", "Windows. Lines."),
    ("Only prose.", "Only prose."),
    ("# Only a title\n", None),
    ("", None),
    (None, None),
]


@pytest.mark.parametrize(("text", "summary"), SUMMARIES)
def test_the_summary_is_the_first_prose(text, summary):
    """Headings, badges, front matter, comments, tables, lists, quotes and code are passed over; what is said comes as plain text."""
    assert readme.summary(text) == summary


def test_a_long_paragraph_is_cut_at_a_word():
    """A summary stays short enough for a list, and doesn't end within a word."""
    found = readme.summary("word " * 1000)

    assert (len(found), found[-5:]) == (1000, "word…")


@given(st.text(alphabet="#-=|`<>![]()*_:~ \n\tab.\\", max_size=80) | st.text(max_size=80))
def test_any_text_has_a_summary_or_none(text):
    """Whatever stands in a README, its summary is one line that isn't empty, or none."""
    found = readme.summary(text)

    assert found is None or (found == found.strip() and found and "\n" not in found)
