"""GraphiQL as the package ships it."""

import re
from pathlib import Path

import pytest

import catalog.web
from catalog.portal import pages

BUNDLE = Path(catalog.web.__file__).parent / "static" / "graphiql"
OUTSIDE = re.compile(rb"""(?:import|from|src=|href=|url\()\s*\(?["']?https?://""")


@pytest.mark.parametrize(
    "name", ["explorer.js", "explorer.css", "editor.worker.js", "json.worker.js", "graphql.worker.js", "LICENSES.txt"]
)
def test_bundle_is_whole(name):
    """What the page and its workers ask for by name is in the package."""
    assert (BUNDLE / name).stat().st_size > 1000


def test_bundle_loads_nothing_from_outside():
    """No file of the bundle imports a script, style or font from another address."""
    assert [file.name for file in BUNDLE.iterdir() if file.suffix in {".js", ".css"} and OUTSIDE.search(file.read_bytes())] == []


def test_page_data_cannot_end_its_script():
    """A document that contains a closing tag stays data."""
    page = pages.explorer({"url": "/graphql", "tabs": [{"query": "# </script><script>alert(1)</script>"}]})
    assert "<script>alert" not in page
