"""A remote OPA server, asked over its REST API (https://www.openpolicyagent.org/docs/rest-api, `POST /v1/data/{path}`).

The server holds the policies; the estate's bundle says which packages are asked at which point. Time is the server's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from catalog.engines.rego import Found
from catalog.errors import Unavailable

_TIMEOUT = 2.0  # seconds for each package
_ANSWER = 4 << 20  # bytes


class RemoteOpa:
    """Evaluates paths on a server, as `Rego(remote=…)` asks it to. Redirects aren't followed: the input goes where it was meant to."""

    def __init__(self, url: str, *, token: str | None = None, timeout: float = _TIMEOUT) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._timeout = timeout

    def __call__(self, paths: Sequence[str], document: Mapping[str, Any]) -> Mapping[str, Found]:
        """Return what each path gives; raises Unavailable where the server can't be reached or answers too late."""
        with httpx.Client(headers=self._headers, timeout=self._timeout, trust_env=False) as client:
            return {path: self._asked(client, path, document) for path in paths}

    def _asked(self, client: httpx.Client, path: str, document: Mapping[str, Any]) -> Found:
        address = f"{self._url}/v1/data/{path.removeprefix('data.').replace('.', '/')}"
        try:
            response = client.post(address, json={"input": document}, params={"strict-builtin-errors": "true"})
            answer = response.json() if len(response.content) <= _ANSWER else None
        except (httpx.HTTPError, ValueError) as error:
            raise Unavailable(f"the policy server at {self._url} gives no answer: {type(error).__name__}", code="POLICY") from error
        if not isinstance(answer, dict):
            raise Unavailable(f"the policy server at {self._url} answers what OPA never would", code="POLICY")
        if not response.is_success:
            return Found(error=_said(answer) or f"the policy server answers {response.status_code}")
        return Found(value=answer.get("result"), defined="result" in answer)


def _said(answer: Mapping[str, Any]) -> str | None:
    messages = [str(error["message"]) for error in answer.get("errors", ()) if isinstance(error, Mapping) and "message" in error]
    return "; ".join(messages) or (str(answer["message"]) if "message" in answer else None)
