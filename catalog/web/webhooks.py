"""Webhooks of Git hosts: `POST /webhooks/git/{estate}` says that a branch has moved, and a run is asked for.

Who sends is proven by the estate's secret, as the host proves it: GitHub (and Gitea, Forgejo) and Bitbucket sign the body, GitLab
sends the secret as it is, or signs as Standard Webhooks does. What a delivery says is a hint at most: the run reads the branch where
it is by then, so that a delivery that is late, doubled or replayed does nothing that the first one didn't.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from catalog import errors
from catalog.config import Config
from catalog.records import Estate
from catalog.store import estates, run_queue

# How far a signed time may be from ours, as Standard Webhooks has it.
_TOLERANCE = 300  # seconds
_NOBODY = b"\x00" * 32  # the key for estates that have none: the answer takes as long as any other refusal

Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A branch or tag that a delivery says has moved: its full ref, and where it is; None: it is gone."""

    ref: str
    revision: str | None


async def receive(request: Request) -> Response:
    """Answer a delivery: 202 with the run that it leads to, or with why it leads to none; 403 when its sender isn't proven.

    An estate that doesn't exist and one without a secret answer as a wrong secret does.
    """
    database = request.app.state.database
    body = await request.body()
    async with database.session() as session:
        estate = await estates.find(session, request.path_params["estate"].replace("\0", ""))
    if not await _is_proven(estate, request, body) or estate is None:
        raise errors.Forbidden(
            "this delivery is not signed with the estate's secret", hint="set the same secret here and at the Git host"
        )
    moved = read(request.headers, body)
    reason = _reason(estate, moved)
    if reason is not None:
        return _answer(run=None, reason=reason)
    async with database.session() as session:
        run = await run_queue.ask_for_news(session, estate.id, next(item.revision for item in moved if _is_of(estate, item)))
        await session.commit()
    return _answer(run=run, reason="the run is asked for" if run else "that revision has been read already")


def _answer(*, run: str | None, reason: str) -> Response:
    return JSONResponse({"run": run, "reason": reason}, status_code=202)


def _reason(estate: Estate, moved: Iterable[Moved]) -> str | None:
    """Why a delivery asks for nothing; None when the estate's branch has moved."""
    moved = list(moved)
    if not moved:
        return "nothing was pushed"
    ours = [item for item in moved if _is_of(estate, item)]
    if not ours:
        return f"{', '.join(sorted({item.ref for item in moved}))} is not the branch that is indexed"
    return "the branch was deleted" if ours[-1].revision is None else None


def _is_of(estate: Estate, moved: Moved) -> bool:
    return moved.ref in {f"refs/heads/{estate.ref}", f"refs/tags/{estate.ref}"}


# ── who sends ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def _is_proven(estate: Estate | None, request: Request, body: bytes) -> bool:
    reference = estate.webhook_secret if estate else None
    config: Config = request.app.state.config
    secret = await asyncio.to_thread(config.secret, reference) if reference else None
    return is_signed(request.headers, body, secret.encode() if secret else None, now=time.time())


def is_signed(headers: Headers, body: bytes, secret: bytes | None, *, now: float) -> bool:
    """Whether one of the hosts' proofs that the headers carry holds; never without a secret. Takes the same time whatever fails."""
    key = secret or _NOBODY
    proven = [holds(headers, body, key, now) for holds in _PROOFS]
    return any(proven) and secret is not None


def _hub(header: str) -> Callable[[Headers, bytes, bytes, float], bool]:
    """GitHub's and Bitbucket's way: `sha256=` and the body's HMAC in hexadecimal."""

    def holds(headers: Headers, body: bytes, secret: bytes, _now: float) -> bool:
        wanted = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
        return _equal(headers.get(header, ""), wanted)

    return holds


def _token(headers: Headers, _body: bytes, secret: bytes, _now: float) -> bool:
    """GitLab's older way: the secret itself."""
    return hmac.compare_digest(headers.get("x-gitlab-token", "").encode("latin-1", "replace"), secret)


def _standard(headers: Headers, body: bytes, secret: bytes, now: float) -> bool:
    """GitLab's newer way, that of Standard Webhooks: the HMAC of id, time and body under the key that `whsec_` encodes."""
    said, sent = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    signed = b".".join((said.encode("latin-1", "replace"), sent.encode("latin-1", "replace"), body))
    wanted = "v1," + base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest()).decode()
    matches = [_equal(signature, wanted) for signature in headers.get("webhook-signature", "").split()]
    return any(matches) and sent.isdigit() and abs(now - int(sent)) <= _TOLERANCE


def _key(secret: bytes) -> bytes:
    encoded = secret.removeprefix(b"whsec_")
    if encoded == secret:
        return secret
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return secret


def _equal(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("latin-1", "replace"), wanted.encode())


_PROOFS = (_hub("x-hub-signature-256"), _hub("x-hub-signature"), _token, _standard)


# ── what is said ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def read(headers: Headers, body: bytes) -> list[Moved]:
    """The branches and tags that a delivery says have moved; none for a ping or another event. Raises Invalid for what is no JSON."""
    said = _document(headers, body)
    event = next((headers[name] for name in _EVENTS if name in headers), "")
    reader = _READERS.get(event)
    if reader is None:
        return []
    try:
        return reader(said)
    except (KeyError, TypeError, AttributeError) as error:
        raise errors.Invalid(f"the delivery is not a {event!r} as its host writes it") from error


def _document(headers: Headers, body: bytes) -> Any:
    """The body as JSON: plain, or in a form's field `payload`, which GitHub offers too."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        text = parse_qs(body.decode(), strict_parsing=True)["payload"][0] if kind == "application/x-www-form-urlencoded" else body
        return json.loads(text)
    except (ValueError, KeyError, RecursionError) as error:
        raise errors.Invalid("the delivery is not JSON") from error


def _one(said: Mapping[str, Any]) -> list[Moved]:
    """GitHub's and GitLab's push: one ref, and where it was and is."""
    return [_moved(said["ref"], said["after"])]


def _cloud(said: Mapping[str, Any]) -> list[Moved]:
    """Bitbucket Cloud's: changes of branches and tags, by short name; `new` of null is a deletion."""
    moved = []
    for change in said["push"]["changes"]:
        now = change["new"] or change["old"]
        place = "tags" if now["type"] == "tag" else "heads"
        moved.append(_moved(f"refs/{place}/{now['name']}", now["target"]["hash"] if change["new"] else None))
    return moved


def _data_center(said: Mapping[str, Any]) -> list[Moved]:
    """Bitbucket Data Center's: changes by full ref."""
    return [_moved(change["ref"]["id"], change["toHash"]) for change in said["changes"]]


def _moved(ref: Any, revision: Any) -> Moved:
    if not isinstance(ref, str) or not isinstance(revision, str | None):
        raise TypeError("not a ref and a revision")
    return Moved(ref=ref, revision=None if revision is None or not revision.strip("0") else revision)


_EVENTS = ("x-github-event", "x-gitlab-event", "x-event-key")
_READERS: dict[str, Callable[[Any], list[Moved]]] = {
    "push": _one,
    "Push Hook": _one,
    "Tag Push Hook": _one,
    "repo:push": _cloud,
    "repo:refs_changed": _data_center,
}
