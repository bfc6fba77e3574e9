"""GraphQL over HTTP as its own auditors see it: the audits of the npm package `graphql-http` against a running server."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from pathlib import Path

import pytest
import pytest_asyncio

from catalog.access import principals, tokens
from catalog.records import Role
from catalog.web import app, server

_AUDITS = Path(__file__).parent / "audits"
_PATIENCE = 120


@pytest.fixture(scope="module")
def auditor(tmp_path_factory) -> Path:
    """The directory of the auditing script, with the packages that it needs."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node.js is not on this machine")
    directory = tmp_path_factory.mktemp("audits")
    for name in ("package.json", "package-lock.json", "audit.mjs"):
        shutil.copy(_AUDITS / name, directory)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    installed = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    if installed.returncode:
        pytest.skip(f"npm can't install graphql-http here: {installed.stderr[-500:]}")
    return directory


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def served(database, config):
    """The address of a running server, and a viewer's token."""
    async with database.session() as session:
        await principals.add(session, "ada@example.org", Role.VIEWER)
        secret = await tokens.create(session, "ada@example.org", name="audit")
        await session.commit()
    listener, shutdown = server.bind("127.0.0.1", 0), asyncio.Event()
    serving = asyncio.create_task(server.serve(app.create(database, config), listener, shutdown))
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/graphql", secret
    shutdown.set()
    await serving


async def test_every_audit_passes(auditor, served):
    """Each audit of graphql-http is fulfilled: those that the specification requires and those that it only recommends."""
    address, secret = served
    process = await asyncio.create_subprocess_exec(
        "node",
        "audit.mjs",
        cwd=auditor,
        env={"PATH": str(Path(shutil.which("node")).parent), "AUDIT_URL": address, "AUDIT_TOKEN": secret},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), _PATIENCE)
    assert process.returncode == 0, err.decode()
    told = [json.loads(line) for line in out.decode().splitlines()]
    assert len(told) > 50
    assert [audit for audit in told if audit["status"] != "ok"] == []
