"""Errors at the HTTP rim."""

import httpx
import pytest

from catalog import errors
from catalog.web import envelope, failures


def every_error(kind=errors.CatalogError):
    return [kind, *(below for child in kind.__subclasses__() for below in every_error(child))]


@pytest.mark.parametrize("kind", every_error())
def test_every_error_has_its_status(kind):
    """Each error has a status of its own, none is left to an ancestor by forgetting."""
    assert kind in failures.STATUS


def test_body_is_a_graphql_response_without_data():
    """An error reads the same to a client of the graph and to one of any other path."""
    assert failures.body(errors.NotFound("no such thing", hint="look")) == {
        "errors": [{"message": "no such thing", "extensions": {"code": "NOT_FOUND", "hint": "look"}}]
    }


async def test_unexpected_failure_is_masked_under_its_id(caplog):
    """What nobody expected is logged under the id that the response carries, and its words stay inside."""

    async def broken(scope, receive, send):
        raise RuntimeError("the password is hunter2")

    app = envelope.Envelope(failures.Masked(broken))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://catalog") as client:
        response = await client.get("/")
    assert response.status_code == 500
    assert "hunter2" not in response.text
    request_id = response.headers["x-request-id"]
    assert request_id in response.json()["errors"][0]["message"]
    assert request_id in caplog.text
    assert "hunter2" in caplog.text


@pytest.mark.parametrize("size", [envelope.MAX_BODY + 1, 10 * envelope.MAX_BODY])
@pytest.mark.parametrize("announced", [True, False])
async def test_body_over_the_limit_is_refused(size, announced):
    """A body over the limit is refused with 413, whether its length was announced or not, and reaches nobody."""
    reached = []

    async def app(scope, receive, send):
        reached.append(scope)

    async def chunks():
        for _ in range(0, size, 1000):
            yield b"x" * 1000

    content = b"x" * size if announced else chunks()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(envelope.BodyLimit(app)), base_url="http://catalog") as client:
        response = await client.post("/", content=content)
    assert response.status_code == 413
    assert reached == []
