"""Files of the network that an estate names: includes and datasources of commands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from catalog.errors import EstateError

if TYPE_CHECKING:
    import httpx

_SECONDS = 30.0
_LARGEST = 50_000_000
_GITHUB = re.compile(r"(?:https?://github\.com/|github://)(?P<owner>[^/]+)/(?P<repository>[^/]+)/(?:(?:blob|raw)/)?(?P<rest>.+)")


def fetch(address: str) -> httpx.Response:
    """Return what an address answers; raises EstateError when it doesn't."""
    import httpx  # noqa: PLC0415 - few estates name addresses, and importing it takes longer than reading one

    github = _GITHUB.fullmatch(address)
    url = f"https://raw.githubusercontent.com/{github['owner']}/{github['repository']}/{github['rest']}" if github else address
    if not url.startswith(("http://", "https://")):
        raise EstateError(f"failed to download '{address}': only http and https are read", code="DOWNLOAD")
    try:
        answer = httpx.get(url, timeout=_SECONDS, follow_redirects=True)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise EstateError(f"failed to download '{address}': {error}", code="DOWNLOAD") from error
    if len(answer.content) > _LARGEST:
        raise EstateError(f"failed to download '{address}': it is larger than {_LARGEST:,} bytes", code="DOWNLOAD")
    return answer
