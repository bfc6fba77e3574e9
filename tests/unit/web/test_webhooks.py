"""Deliveries of Git hosts: what proves their sender, and what they say has moved."""

import base64
import json
from urllib.parse import urlencode

import pytest
from starlette.datastructures import Headers

from catalog import errors
from catalog.web import webhooks
from catalog.web.webhooks import Moved

A, ZERO = "a" * 40, "0" * 40
EVERYBODY = b"It's a Secret to Everybody"
# The examples that the hosts' own documentation gives, and that of Standard Webhooks: (headers, body, secret, time).
PUBLISHED = {
    "GitHub": (
        {"X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
        b"Hello, World!",
        EVERYBODY,
        0,
    ),
    "Bitbucket": (
        {"X-Hub-Signature": "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"},
        b"Hello World!",
        EVERYBODY,
        0,
    ),
    "GitLab, by token": ({"X-Gitlab-Token": "s3cret"}, b"{}", b"s3cret", 0),
    "GitLab, signed": (
        {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,b2xk v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        },
        b'{"test": 2432232314}',
        b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        1614265330,
    ),
}


@pytest.mark.parametrize(("headers", "body", "secret", "now"), PUBLISHED.values(), ids=PUBLISHED)
def test_a_host_proves_itself(headers, body, secret, now):
    """What each host signs as its documentation says holds."""
    assert webhooks.is_signed(Headers(headers), body, secret, now=now)


@pytest.mark.parametrize(("headers", "body", "secret", "now"), PUBLISHED.values(), ids=PUBLISHED)
def test_nothing_else_proves_anything(headers, body, secret, now):
    """Another secret, none at all, or no headers prove nothing."""
    assert not webhooks.is_signed(Headers(headers), body, secret + b"x", now=now)
    assert not webhooks.is_signed(Headers(headers), body, None, now=now)
    assert not webhooks.is_signed(Headers({}), body, secret, now=now)


@pytest.mark.parametrize("host", ["GitHub", "Bitbucket", "GitLab, signed"])
def test_a_signed_body_is_not_another_one(host):
    """A body that differs in one byte is not signed."""
    headers, body, secret, now = PUBLISHED[host]
    assert not webhooks.is_signed(Headers(headers), body + b" ", secret, now=now)


@pytest.mark.parametrize("late", [-301, 301])
def test_an_old_signature_is_refused(late):
    """A time that was signed more than five minutes from now proves nothing."""
    headers, body, secret, now = PUBLISHED["GitLab, signed"]
    assert not webhooks.is_signed(Headers(headers), body, secret, now=now + late)
    assert webhooks.is_signed(Headers(headers), body, secret, now=now + late / 2)


@pytest.mark.parametrize("secret", [b"whsec_not base64!", b"plain"])
def test_a_key_that_is_not_encoded_is_taken_as_it_is(secret):
    """A secret that no `whsec_` encodes still signs."""
    signed = webhooks.hmac.new(secret, b"1.10.{}", "sha256").digest()
    headers = {"webhook-id": "1", "webhook-timestamp": "10", "webhook-signature": "v1," + base64.b64encode(signed).decode()}
    assert webhooks.is_signed(Headers(headers), b"{}", secret, now=10)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Hub-Signature-256": "sha256=é"},
        {"X-Gitlab-Token": "é"},
        {"webhook-signature": "v1,é v2,x", "webhook-timestamp": "²", "webhook-id": "é"},
    ],
)
def test_odd_headers_prove_nothing(headers):
    """Headers beyond ASCII are no error."""
    assert not webhooks.is_signed(Headers(headers), b"{}", b"s3cret", now=0)


BRANCH = {"type": "branch", "name": "main", "target": {"hash": A}}
SAID = {
    "GitHub, push": ("X-GitHub-Event", "push", {"ref": "refs/heads/main", "after": A}, [Moved(ref="refs/heads/main", revision=A)]),
    "GitHub, branch deleted": ("X-GitHub-Event", "push", {"ref": "refs/heads/x", "after": ZERO}, [Moved(ref="refs/heads/x", revision=None)]),
    "GitHub, ping": ("X-GitHub-Event", "ping", {"zen": "Design for failure."}, []),
    "GitHub, issue": ("X-GitHub-Event", "issues", {"ref": "refs/heads/main", "after": A}, []),
    "GitLab, push": ("X-Gitlab-Event", "Push Hook", {"object_kind": "push", "ref": "refs/heads/main", "after": A}, [Moved(ref="refs/heads/main", revision=A)]),
    "GitLab, tag": ("X-Gitlab-Event", "Tag Push Hook", {"ref": "refs/tags/v1", "after": A}, [Moved(ref="refs/tags/v1", revision=A)]),
    "Bitbucket Cloud": ("X-Event-Key", "repo:push", {"push": {"changes": [{"new": BRANCH, "old": None}]}}, [Moved(ref="refs/heads/main", revision=A)]),
    "Bitbucket Cloud, tag": ("X-Event-Key", "repo:push", {"push": {"changes": [{"new": BRANCH | {"type": "tag"}, "old": None}]}}, [Moved(ref="refs/tags/main", revision=A)]),
    "Bitbucket Cloud, deleted": ("X-Event-Key", "repo:push", {"push": {"changes": [{"new": None, "old": BRANCH}]}}, [Moved(ref="refs/heads/main", revision=None)]),
    "Bitbucket Data Center": ("X-Event-Key", "repo:refs_changed", {"changes": [{"ref": {"id": "refs/heads/main"}, "toHash": A}]}, [Moved(ref="refs/heads/main", revision=A)]),
    "Bitbucket Data Center, test": ("X-Event-Key", "diagnostics:ping", {"test": True}, []),
    "nobody's": ("X-Other", "push", {"ref": "refs/heads/main", "after": A}, []),
}  # fmt: skip


@pytest.mark.parametrize(("header", "event", "body", "moved"), SAID.values(), ids=SAID)
def test_what_has_moved(header, event, body, moved):
    """Each host's push tells which ref is where; everything else it may send tells nothing."""
    assert webhooks.read(Headers({header: event}), json.dumps(body).encode()) == moved


def test_a_form_holds_the_same():
    """GitHub may send the JSON in a form's field."""
    body = urlencode({"payload": json.dumps({"ref": "refs/heads/main", "after": A})}).encode()
    headers = Headers({"X-GitHub-Event": "push", "Content-Type": "application/x-www-form-urlencoded"})
    assert webhooks.read(headers, body) == [Moved(ref="refs/heads/main", revision=A)]


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"payload=%7B", b"[" * 100_000, b"[]", b"null", b'{"ref": 1, "after": 2}', b'{"ref": "x"}']
)
def test_what_is_no_delivery_is_refused(body, kind):
    """A body that isn't what its event promises is Invalid, whatever it is."""
    with pytest.raises(errors.Invalid):
        webhooks.read(Headers({"X-GitHub-Event": "push", "Content-Type": kind}), body)
