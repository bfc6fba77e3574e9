"""What every floor of the suite shares."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The reference estates beside the checkout; only builders and CI have them."""
    directory = ROOT.parent / "shared"
    if not (directory / "parity").is_dir():
        pytest.skip("the reference estates (../shared/parity) are not on this machine")
    return directory
