"""Takes docs/first-page.png: the first page of a catalog that has just come up, in a real browser. `python docs/picture.py`."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "acceptance"))
import outside  # noqa: E402 — beside the acceptance tests

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home, outside.running(Path(home) / "home") as catalog, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1000, "height": 640})
        page.goto(catalog.link)
        page.get_by_role("heading", name="What is indexed").wait_for()
        page.screenshot(path=HERE / "first-page.png")
        browser.close()
