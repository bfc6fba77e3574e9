"""The application over HTTP, on a real database."""

import httpx
import pytest

from catalog.access import principals, tokens
from catalog.records import Role
from catalog.web import app, authentication, graphql

ORIGIN = "http://catalog.test"
QUERY = "{ viewer { email } }"


@pytest.fixture(scope="module")
async def secret(database):
    """A viewer's token."""
    async with database.session() as session:
        await principals.add(session, "ada@example.org", Role.VIEWER, name="Ada")
        made = await tokens.create(session, "ada@example.org", name="test")
        await session.commit()
        return made


@pytest.fixture
async def browser(database, config):
    """A client without a token, which keeps cookies as a browser does."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app.create(database, config)), base_url=ORIGIN) as client:
        yield client


@pytest.fixture
async def program(browser, secret):
    """A client that sends a token."""
    browser.headers["Authorization"] = f"Bearer {secret}"
    return browser


@pytest.fixture
async def signed_in(browser, database, secret):
    """A browser that has opened a sign-in link."""
    async with database.session() as session:
        link = await tokens.sign_in_link(session, "ada@example.org")
        await session.commit()
    await browser.get("/sign-in", params={"token": link})
    return browser


GRAPHQL = graphql.GRAPHQL
JSON = graphql.JSON


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (GRAPHQL, GRAPHQL),
        (JSON, JSON),
        ("*/*", JSON),
        (None, JSON),
        (f"{GRAPHQL}, {JSON};q=0.9", GRAPHQL),
        (f"{JSON}, {GRAPHQL}", JSON),
    ],
)
async def test_answer_has_the_type_that_was_asked_for(program, accept, content_type):
    """The media type follows Accept; without one it is JSON, in UTF-8."""
    program.headers.pop("accept")
    headers = {"Accept": accept} if accept else {}
    response = await program.post("/graphql", json={"query": QUERY}, headers=headers)
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{content_type}; charset=utf-8"
    assert response.json()["data"] == {"viewer": {"email": "ada@example.org"}}


@pytest.mark.parametrize(("accept", "status"), [(GRAPHQL, 400), (JSON, 200)])
@pytest.mark.parametrize(
    "body",
    [{"query": "{"}, {"query": "{ nothing }"}, {"query": "query ($a: Int!) { __typename }"}, {"query": "subscription { x }"}],
)
async def test_request_error(program, accept, status, body):
    """What can't be executed has errors and no data: 400 for who knows the specification, 200 for older clients."""
    response = await program.post("/graphql", json=body, headers={"Accept": accept})
    assert response.status_code == status
    assert response.json()["errors"]
    assert response.json().get("data") is None


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"", JSON, 400),
        (b"{", JSON, 400),
        (b"[]", JSON, 400),
        (b'"{ viewer }"', JSON, 400),
        (b"{}", JSON, 400),
        (b'{"query": 1}', JSON, 400),
        (b'{"query": null}', JSON, 400),
        (b'{"query": "{ __typename }", "variables": []}', JSON, 400),
        (b'{"query": "{ __typename }", "variables": "{}"}', JSON, 400),
        (b'{"query": "{ __typename }", "operationName": 1}', JSON, 400),
        (b'{"query": "{ __typename }", "extensions": "x"}', JSON, 400),
        (b'{"query": "{ __typename }", "variables": null, "operationName": null, "extensions": null}', JSON, 200),
        (b'{"query": "{ __typename }"}', f"{JSON}; charset=utf-8", 200),
        (b'{"query": "{ __typename }"}', f"{JSON}; charset=latin-1", 415),
        (b"query=%7B__typename%7D", "application/x-www-form-urlencoded", 415),
        (b"{ __typename }", "application/graphql", 415),
        (b'{"query": "{ __typename }"}', "text/plain", 415),
        (b"x" * (256 * 1024 + 1), JSON, 413),
    ],
)
async def test_body(program, content, content_type, status):
    """A body is a JSON map in UTF-8 with parameters of the right types; each refusal is JSON with a reason."""
    response = await program.post("/graphql", content=content, headers={"Content-Type": content_type})
    assert response.status_code == status
    assert ("errors" in response.json()) == (status != 200)


@pytest.mark.parametrize(("accept", "status"), [("text/plain", 406), ("image/png, text/css", 406), (f"{JSON};q=0", 406)])
async def test_answer_nobody_reads_is_refused(program, accept, status):
    """A client that takes neither of our types is told so."""
    assert (await program.post("/graphql", json={"query": QUERY}, headers={"Accept": accept})).status_code == status


async def test_get_carries_queries_only(program):
    """A query may be sent by GET; a mutation is refused with 405 and the method that it needs."""
    variables = {"variables": '{"x": 1}', "query": "query A { viewer { email } } query B { viewer { name } }", "operationName": "B"}
    assert (await program.get("/graphql", params=variables)).json() == {"data": {"viewer": {"name": "Ada"}}}
    mutation = 'mutation { cancelRequest(input: {id: "x"}) { errors { code } } }'
    refused = await program.get("/graphql", params={"query": mutation})
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_other_methods_are_refused(program, method):
    """/graphql answers GET and POST."""
    assert (await program.request(method, "/graphql", json={"query": QUERY})).status_code == 405


@pytest.mark.parametrize("header", [None, "Bearer atc_wrong", "Bearer", "Basic YTpi", "Bearer " + "x" * 1000])
@pytest.mark.parametrize("query", [QUERY, "{ __schema { types { name } } }"])
async def test_nobody_gets_nothing(browser, header, query):
    """Without a token that holds there is no answer, not even the schema: 401, the challenge, and how to sign in."""
    response = await browser.post("/graphql", json={"query": query}, headers={"Authorization": header} if header else {})
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="catalog"'
    error = response.json()["errors"][0]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    assert error["extensions"]["hint"]
    assert "data" not in response.json()


async def test_link_signs_in_once(browser, database, secret):
    """A sign-in link leaves a cookie that scripts can't read and other sites can't send, once."""
    async with database.session() as session:
        link = await tokens.sign_in_link(session, "ada@example.org")
        await session.commit()
    assert (await browser.head("/sign-in", params={"token": link})).status_code == 200  # looking ahead spends nothing
    first = await browser.get("/sign-in", params={"token": link, "next": "/graphql"})
    assert (first.status_code, first.headers["location"]) == (303, "/graphql")
    cookie = first.headers["set-cookie"].lower()
    assert cookie.startswith(authentication.COOKIE)
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    browser.cookies.clear()
    second = await browser.get("/sign-in", params={"token": link})
    assert second.status_code == 401
    assert "set-cookie" not in second.headers


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "/\\evil.example", "evil"])
async def test_link_leads_nowhere_else(browser, database, secret, target):
    """A sign-in link can't send a browser to another site."""
    async with database.session() as session:
        link = await tokens.sign_in_link(session, "ada@example.org")
        await session.commit()
    response = await browser.get("/sign-in", params={"token": link, "next": target})
    assert response.headers["location"] == "/"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin", "Origin": ORIGIN}, 200),
        ({"Origin": ORIGIN}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://other.catalog.test"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({}, 403),
    ],
)
async def test_cookie_speaks_from_our_own_pages_only(signed_in, headers, status):
    """With a cookie, what could change something must come from the catalog's own pages."""
    assert (await signed_in.post("/graphql", json={"query": QUERY}, headers=headers)).status_code == status


async def test_signing_out_ends_the_session(signed_in):
    """After signing out the session's secret holds no longer, even for who kept it."""
    kept = signed_in.cookies[authentication.COOKIE]
    response = await signed_in.post("/sign-out", headers={"Origin": ORIGIN})
    assert response.status_code == 303
    assert authentication.COOKIE not in signed_in.cookies
    again = await signed_in.post("/graphql", json={"query": QUERY}, headers={"Authorization": f"Bearer {kept}"})
    assert again.status_code == 401


async def test_pasted_token_signs_in(browser, secret):
    """An access token pasted into the page signs in; a wrong one is refused there."""
    wrong = await browser.post("/sign-in", data={"token": "atc_wrong"}, headers={"Origin": ORIGIN})
    assert wrong.status_code == 401
    assert "not a token" in wrong.text
    right = await browser.post("/sign-in", data={"token": secret}, headers={"Origin": ORIGIN})
    assert right.status_code == 303
    assert "Ada" not in (await browser.get("/sign-in")).text
    assert "ada@example.org" in (await browser.get("/")).text


async def test_stale_cookie_is_taken_back(browser):
    """A cookie that holds no longer shows the page of somebody who isn't signed in, and goes."""
    browser.cookies.set(authentication.COOKIE, "atc_gone")
    response = await browser.get("/")
    assert response.status_code == 200
    assert "Sign in" in response.text
    assert "Max-Age=0" in response.headers["set-cookie"]
    page = await browser.get("/graphql", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["location"]) == (303, "/sign-in")
    assert "Max-Age=0" in page.headers["set-cookie"]


async def test_graphiql_is_for_who_is_signed_in(signed_in):
    """A browser gets GraphiQL with its examples once it is signed in, under a policy that allows nothing from outside."""
    page = await signed_in.get("/graphql", headers={"Accept": "text/html,*/*;q=0.8"})
    assert page.status_code == 200
    assert "/static/graphiql/explorer.js" in page.text
    assert "query Services" in page.text
    policy = page.headers["content-security-policy"]
    assert "http" not in policy
    signed_in.cookies.clear()
    other = await signed_in.get("/graphql", headers={"Accept": "text/html"})
    assert (other.status_code, other.headers["location"]) == (303, "/sign-in")


@pytest.mark.parametrize("path", ["/", "/livez", "/readyz", "/nowhere", "/static/graphiql/explorer.js", "/sign-in"])
async def test_every_response_is_guarded(browser, path):
    """Each response carries an id of its own and the headers that keep a browser safe."""
    first, second = await browser.get(path), await browser.get(path)
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    assert first.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in first.headers["content-security-policy"]
    assert first.headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/graphiql/..%2f..%2fapp.py", "/static/"])
async def test_static_files_stay_inside(browser, path):
    """Only the package's own static files are served."""
    assert (await browser.get(path)).status_code == 404


async def test_not_ready_before_the_first_index(browser):
    """/readyz says what is missing, while /livez says that the process answers."""
    ready = await browser.get("/readyz")
    assert ready.status_code == 503
    assert ready.json() == {"status": "not ready", "reasons": ["no estate has been indexed yet"]}
    assert (await browser.get("/livez")).json() == {"status": "alive"}


async def test_visitor_sees_counts_only(browser):
    """The first page shows a visitor how much there is and how to sign in, and nothing by name."""
    page = await browser.get("/")
    assert page.status_code == 200
    assert "Sign in" in page.text
    assert "component instances" in page.text
