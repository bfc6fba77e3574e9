"""What every floor of the suite shares."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

from catalog.engines import hcl, rego, template

# Properties are about values; how long an example takes on a busy machine is not what a test may fail for.
hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.load_profile("suite")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The reference estates beside the checkout; only builders and CI have them."""
    directory = ROOT.parent / "shared"
    if not (directory / "parity").is_dir():
        pytest.skip("the reference estates (../shared/parity) are not on this machine")
    return directory


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Where CATALOG_REQUIRE is set, as in continuous integration, a skipped test has failed: nothing may be missing there."""
    return _required((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """The same for a module that skips as a whole."""
    return _required((yield))


def _required(report):
    if os.environ.get("CATALOG_REQUIRE") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may skip: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def engine_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with the embedded engines compiled, once per session."""
    directory = tmp_path_factory.mktemp("engines")
    hcl.open_prepared(directory)
    return directory


@pytest.fixture(scope="session")
def hcl_engine(engine_cache: Path) -> hcl.HclEngine:
    """The HCL engine, running."""
    return hcl.HclEngine(engine_cache)


@pytest.fixture(scope="session")
def template_engine(engine_cache: Path) -> template.Engine:
    """The template engine, running."""
    return template.Engine(engine_cache)


@pytest.fixture(scope="session")
def rego_engine(engine_cache: Path) -> rego.RegoEngine:
    """The engine of policies, running."""
    return rego.RegoEngine(engine_cache)
