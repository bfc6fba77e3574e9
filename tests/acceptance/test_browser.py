"""The catalog in a real browser: signing in, asking in GraphiQL, asking for a change and approving it."""

import json
import os
import shutil

import outside
import pytest
from playwright.sync_api import expect, sync_playwright

pytestmark = [pytest.mark.acceptance, pytest.mark.browser]

# --no-sandbox: as root in a container Chromium has no sandbox to make. The rest keeps it from calling home.
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
STACK = "plat-testenv-01-dev"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    """A Chromium of this machine, with a home of its own."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium is on this machine (apt-get install chromium)")
    env = {**os.environ, "HOME": str(tmp_path_factory.mktemp("chromium"))}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS), env=env)
        yield browser
        browser.close()


@pytest.fixture
def window(chromium, catalog):
    """Open windows, each of a browser of its own; at the end none of them has complained or looked outside."""
    opened, complaints = [], []

    def open_window(**options):
        context = chromium.new_context(viewport={"width": 1280, "height": 800}, **options)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.append(request.url) if not inside(request.url) else None)
        opened.append(context)
        return page

    def inside(url):
        return url.startswith((catalog.url, "data:", "blob:"))

    yield open_window
    for context in opened:
        context.close()
    assert complaints == []


def sign_in(page, catalog, token):
    """Sign in by pasting a token."""
    page.goto(f"{catalog.url}/sign-in")
    page.get_by_label("Access token").fill(token)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="What is indexed")).to_be_visible()


def ask(page, catalog, document, variables=None):
    """Run a document in GraphiQL and return its answer as the page shows it."""
    page.goto(f"{catalog.url}/graphql")
    page.get_by_role("button", name="New tab").click()
    editor = page.locator(".graphiql-query-editor .monaco-editor").first
    editor.click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text(" ".join(document.split()))  # on one line: after a line break the editor would close brackets itself
    if variables is not None:
        page.get_by_role("button", name="Variables").click()
        page.locator(".graphiql-editor-tool .monaco-editor").first.click()
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.insert_text(json.dumps(variables))
    with page.expect_response(_answers) as waiting:
        page.get_by_role("button", name="Execute").click()
    answer = waiting.value.json()
    expect(page.locator(".graphiql-response")).to_contain_text("data" if "data" in answer else "errors")
    return answer


def _answers(response):
    """Whether a response is to a document that was executed; the page also asks for the schema, when it likes."""
    request = response.request
    return response.url.endswith("/graphql") and request.method == "POST" and "IntrospectionQuery" not in (request.post_data or "")


def test_link_leads_to_what_is_indexed_and_on_to_graphiql(window, catalog):
    """The printed link signs in; the first page shows the estate; GraphiQL completes what is typed and shows the answer."""
    page = window()
    page.goto(catalog.link)
    expect(page.get_by_role("heading", name="What is indexed")).to_be_visible()
    expect(page.get_by_role("row", name="fnx")).to_be_visible()
    page.get_by_role("link", name="GraphiQL", exact=True).click()
    page.get_by_role("button", name="New tab").click()
    page.locator(".graphiql-query-editor .monaco-editor").first.click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("query Mine { te")
    expect(page.locator(".suggest-widget").get_by_text("teams", exact=True).first).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.type("ams { nodes { slug")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Mine", exact=True)).to_be_visible()  # the page knows the operation by now
    page.keyboard.press("ControlOrMeta+Enter")
    expect(page.locator(".graphiql-response")).to_contain_text('"slug": "payments"')


def test_examples_are_the_first_tabs(window, catalog):
    """GraphiQL opens with its example documents, and the first one answers."""
    page = window()
    sign_in(page, catalog, catalog.token)
    page.goto(f"{catalog.url}/graphql")
    for name in ("Services", "Team", "Preview", "Request"):
        expect(page.get_by_role("button", name=name, exact=True)).to_be_visible()
    expect(page.locator(".graphiql-query-editor")).to_contain_text("query Services")
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".graphiql-response")).to_contain_text('"slug": "account-foundation"')


def test_recipes_open_beside_the_examples(window, catalog):
    """GraphiQL's panel of recipes opens one in a tab of its own, with its variables, and it answers."""
    page = window()
    sign_in(page, catalog, catalog.token)
    page.goto(f"{catalog.url}/graphql")
    page.get_by_role("button", name="Show Recipes").click()
    expect(page.get_by_text("FinOps", exact=True)).to_be_visible()
    page.get_by_role("button", name="What does a tenant cost, stack by stack?").click()
    expect(page.get_by_role("button", name="CostOfATenant", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Services", exact=True)).to_be_visible()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".graphiql-response")).to_contain_text('"name": "plat-data-prod"')


def test_visitor_is_led_to_sign_in(window, catalog):
    """Who isn't signed in sees counts, no names, and the way in."""
    page = window()
    page.goto(catalog.url)
    expect(page.get_by_text("component instances")).to_be_visible()
    assert "fnx" not in page.content()
    page.goto(f"{catalog.url}/graphql")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


REQUEST = """mutation ($input: RequestProvisioningInput!) {
  requestProvisioning(input: $input) { provisioningRequest { id number state } errors { code message path } }
}"""
FIND = "query ($id: ID!) { provisioningRequest(id: $id) { number state plan { digest } commit steps { name state log(last: 50) { nodes { text } } } } }"
APPROVE = """mutation ($input: DecideRequestInput!) {
  approveRequest(input: $input) { provisioningRequest { state } errors { code message } }
}"""


@pytest.mark.terraform
def test_change_is_asked_for_and_approved_by_another(window, catalog):
    """One principal asks for a change of tags and can't approve it; another approves; it is committed, applied and indexed again."""
    asking, deciding = window(), window()
    sign_in(asking, catalog, catalog.principal("lin@browser.example", "approver"))
    sign_in(deciding, catalog, catalog.principal("ada@browser.example", "approver"))
    tags = {"Team": "platform", "CostCenter": "CC-1001", "Purpose": "seen-in-a-browser"}
    made = ask(
        asking,
        catalog,
        REQUEST,
        {
            "input": {
                "idempotencyKey": "browser-1",
                "action": "APPLY_COMPONENT",
                "stack": STACK,
                "component": "vpc",
                "team": "platform",
                "parameters": {"tags": tags},
                "justification": "seen in a browser",
            }
        },
    )["data"]["requestProvisioning"]
    assert made["errors"] == []
    request_id = made["provisioningRequest"]["id"]

    def state():
        return catalog.ask(FIND, {"id": request_id})["data"]["provisioningRequest"]

    waiting = outside.eventually(lambda: (found := state())["state"] == "AWAITING_APPROVAL" and found, within=90)
    decision = {"input": {"id": request_id, "digest": waiting["plan"]["digest"]}}
    own = ask(asking, catalog, APPROVE, decision)["data"]["approveRequest"]
    assert [error["code"] for error in own["errors"]] == ["FORBIDDEN"]
    assert ask(deciding, catalog, APPROVE, decision)["data"]["approveRequest"]["errors"] == []
    outside.eventually(lambda: state()["state"] in {"SUCCEEDED", "FAILED"}, within=120)
    final = ask(deciding, catalog, FIND, {"id": request_id})["data"]["provisioningRequest"]
    assert final["state"] == "SUCCEEDED"
    assert final["commit"]
    assert "Apply complete!" in json.dumps(final["steps"])
    vars_ = ask(deciding, catalog, f'{{ componentInstance(stack: "{STACK}", component: "vpc") {{ vars }} }}')
    assert vars_["data"]["componentInstance"]["vars"]["tags"]["Purpose"] == "seen-in-a-browser"
    assert list((catalog.home / "state").rglob("*.tfstate"))
    deciding.goto(catalog.url)
    expect(deciding.get_by_role("row", name=f"apply component vpc in {STACK} succeeded").first).to_be_visible()
