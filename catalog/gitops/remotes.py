"""Addresses of remote repositories and the credentials that go with them, which are kept out of files and messages."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from catalog.gitops import git


def authenticated(directory: Path, token: str | None, environment: Mapping[str, str]) -> git.Git:
    """Git for one repository; a token goes to http remotes by configuration in the environment, as their hosts expect it."""
    if not token:
        return git.Git(directory=directory, environment=dict(environment))
    pair = base64.b64encode((token if ":" in token else f"x-access-token:{token}").encode()).decode()
    header = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "http.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {pair}",
    }
    return git.Git(directory=directory, environment={**environment, **header}, secrets=(token, pair))


def split(url: str) -> tuple[str, str | None]:
    """Split an address from the credentials of an http one; a path becomes absolute."""
    if "://" not in url:
        return (str(Path(url).absolute()) if Path(url).exists() else url), None
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or "@" not in parts.netloc:
        return url, None
    secret, host = parts.netloc.rsplit("@", 1)
    return urlunsplit(parts._replace(netloc=host)), unquote(secret)
