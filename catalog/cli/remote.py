"""The graph over HTTP, as the principal of a token: what every command uses that doesn't open the database itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

import click

from catalog import errors
from catalog.cli import settings
from catalog.config import Config

# What the graph's codes mean to a program; anything else is a failure without a kind of its own.
_KINDS: dict[str, type[errors.CatalogError]] = {
    kind.code: kind
    for kind in (errors.Invalid, errors.NotFound, errors.Unauthenticated, errors.Forbidden, errors.Conflict, errors.Unavailable)
}
_PAGE = 100  # the graph's ceiling
_PATIENCE = 30.0  # seconds; reading the code of all components takes a few
_PAUSE = 0.25


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options `--token` and `--url`, for a command that acts through the graph."""
    for option in (
        click.option("--url", help="Where the catalog answers. [default: CATALOG_URL, else port CATALOG_PORT of this machine]"),
        click.option("--token", help="Whose token to act with. [default: CATALOG_TOKEN, else the file CATALOG_HOME/token]"),
    ):
        command = option(command)
    return command


class Remote:
    """A client of one graph."""

    def __init__(self, url: str, token: str) -> None:
        import httpx  # noqa: PLC0415 — a tenth of a second that `--help` need not wait for

        self.url = url.rstrip("/")
        self._client = httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {token}", "Accept": "application/graphql-response+json, application/json;q=0.9"},
            timeout=60,
            trust_env=False,
        )

    def ask(self, document: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Execute a document and return its data; raises the error that the answer names."""
        answer = self._post({"query": document, "variables": dict(variables or {})})
        for problem in answer.get("errors") or ():
            raise _error(problem.get("extensions") or {}, problem["message"])
        data: dict[str, Any] = answer["data"]
        return data

    def mutate(self, document: str, name: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Execute a document with one payload field of that name; raises what its `errors` say, all of it in one message.

        Waits while the catalog isn't ready to judge it: right after its first start the variables of components are still being read.
        """
        deadline = time.monotonic() + _PATIENCE
        while True:
            payload: dict[str, Any] = self.ask(document, variables)[name]
            problems = payload["errors"]
            if not problems or problems[0]["code"] != "NOT_READY" or time.monotonic() > deadline:
                break
            time.sleep(_PAUSE)
        if problems:
            lines = [_placed(problem) for problem in problems]
            raise _error({"code": problems[0]["code"]}, "\n".join(lines))
        return payload

    def nodes(
        self, field: str, selection: str, arguments: Mapping[str, tuple[str, Any]], limit: int, *, estate: str | None = None
    ) -> Iterator[dict[str, Any]]:
        """Page through a root connection, or one of an estate; `arguments` maps a name to its GraphQL type and value. 0: no limit."""
        given = {name: pair for name, pair in arguments.items() if pair[1] is not None}
        declared = "".join(f", ${name}: {kind}" for name, (kind, _) in given.items())
        passed = "".join(f", {name}: ${name}" for name in given)
        page_of = (
            f"{field}(first: $first, after: $after{passed}) {{ nodes {{ {selection} }} pageInfo {{ hasNextPage endCursor }} }}"
        )
        root = page_of if estate is None else f"estate(name: $estate) {{ {page_of} }}"
        named = "" if estate is None else ", $estate: String!"
        document = f"query Get($first: Int, $after: String{named}{declared}) {{ {root} }}"
        variables: dict[str, Any] = {name: value for name, (_, value) in given.items()}
        if estate is not None:
            variables["estate"] = estate
        left = limit or None
        while left is None or left > 0:
            answer = self.ask(document, {**variables, "first": min(left or _PAGE, _PAGE)})
            page = (answer if estate is None else answer["estate"])[field]
            yield from page["nodes"]
            left = None if left is None else left - len(page["nodes"])
            if not page["pageInfo"]["hasNextPage"]:
                return
            variables["after"] = page["pageInfo"]["endCursor"]

    @contextmanager
    def exported(
        self, form: str, name: str | None, parameters: Mapping[str, str], asked: Mapping[str, Any] | None
    ) -> Iterator[Iterator[bytes]]:
        """Stream an export: of the list of that name with parameters, or of what is asked by a document; raises what the answer says."""
        if asked is None:
            request = self._client.build_request("GET", f"/export/{name}.{form}", params=parameters)
        else:
            request = self._client.build_request("POST", f"/export/{form}", json=asked)
        with self._translated():
            response = self._client.send(request, stream=True)
            try:
                if not response.is_success:
                    response.read()
                    _raise(self.url, response)
                yield response.iter_bytes()
            finally:
                response.close()

    def _post(self, body: dict[str, Any]) -> dict[str, Any]:
        with self._translated():
            response = self._client.post("/graphql", json=body)
        try:
            answer: dict[str, Any] = response.json()
        except ValueError as error:
            raise _stranger(self.url, response.status_code) from error
        return answer

    @contextmanager
    def _translated(self) -> Iterator[None]:
        import httpx  # noqa: PLC0415

        try:
            yield
        except httpx.InvalidURL as error:
            raise errors.WrongUse(f"{self.url} is not an address: {error}") from error
        except httpx.RemoteProtocolError as error:
            raise errors.Unavailable(f"the answer of {self.url} broke off: {error}", hint="try again") from error
        except httpx.TransportError as error:
            raise errors.Unavailable(
                f"no catalog answers at {self.url}: {error}",
                hint="start one with `catalog up`, or say where it is with CATALOG_URL",
            ) from error


def connect(url: str | None, token: str | None) -> Remote:
    """A client from the options, the environment and the token file, in this order; raises WrongUse when there is no token."""
    config = settings.read()
    return Remote(url or config.url, token or config.token or _kept(config))


def _kept(config: Config) -> str:
    try:
        return config.token_file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise errors.WrongUse(
            "no token was given", hint=f"use --token or CATALOG_TOKEN; `catalog up` leaves the local admin's in {config.token_file}"
        ) from error


def _stranger(url: str, status: int) -> errors.Unavailable:
    return errors.Unavailable(f"what answers at {url} is not a catalog (HTTP {status})")


def _raise(url: str, response: Any) -> NoReturn:
    try:
        problem = response.json()["errors"][0]
    except (ValueError, LookupError, TypeError) as error:
        raise _stranger(url, response.status_code) from error
    raise _error(problem.get("extensions") or {}, problem["message"])


def _placed(problem: Mapping[str, Any]) -> str:
    """One problem of a payload: its path before, what differs or what could be meant on lines of its own."""
    path = ".".join(problem.get("path") or ())
    if path.endswith(f".{problem['message'].partition(': ')[0]}"):
        path = ""  # the message names it already
    details = (problem.get("difference") or []) + (problem.get("candidates") or [])
    return "\n  ".join([f"{path}: {problem['message']}" if path else str(problem["message"]), *details])


def _error(extensions: Mapping[str, Any], message: str) -> errors.CatalogError:
    code = str(extensions.get("code", "ERROR"))
    candidates = tuple(extensions.get("candidates") or ())
    if code == errors.Ambiguous.code and candidates:
        return errors.Ambiguous(message, candidates=candidates, hint=f"name one of {', '.join(candidates)}")
    return _KINDS.get(code, errors.CatalogError)(message, code=code, hint=extensions.get("hint"))
