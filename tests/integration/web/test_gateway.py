"""The catalog behind a gateway of Apollo Federation 2: composed with another subgraph by Apollo's own tools, then asked through it."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import graph_world
import pytest
import pytest_asyncio

from catalog import records
from catalog.access import principals, tokens
from catalog.graph import federation
from catalog.records import Role

_GATEWAY = Path(__file__).parent / "federation"
_PATIENCE = 180

BY_INCIDENT = """{
  incidents {
    title
    service { slug owner { slug incidents(first: 5) { nodes { title } pageInfo { hasNextPage } } } }
    stack { name instances(first: 1) { totalCount pageInfo { hasNextPage } } }
  }
}"""
BY_TEAM = "{ teams(first: 50, orderBy: [{field: SLUG}]) { nodes { slug incidents(first: 5) { nodes { title } } } } }"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory) -> Path:
    """The directory of the gateway's script, with the packages that it needs."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node.js is not on this machine")
    directory = tmp_path_factory.mktemp("gateway")
    for name in ("package.json", "package-lock.json", "gateway.mjs"):
        shutil.copy(_GATEWAY / name, directory)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    installed = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    if installed.returncode:
        pytest.skip(f"npm can't install Apollo's gateway here: {installed.stderr[-500:]}")
    return directory


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def subgraph(database, config, serving):
    """The address of a catalog that answers gateways, and the token of one that sees everything."""
    await graph_world.load(database, graph_world.World())
    async with database.session() as session:
        await principals.add(session, "gateway@example.org", Role.VIEWER)
        secret = await tokens.create(session, "gateway@example.org", name="gateway")
        await session.commit()
    async with serving(database, replace(config, federation=True)) as (address, _):
        yield f"http://{address}/graphql", secret


async def composed(gateway: Path, subgraph: tuple[str, str], given: dict) -> dict:
    """What the script prints of what it is given."""
    address, secret = subgraph
    process = await asyncio.create_subprocess_exec(
        "node",
        "gateway.mjs",
        cwd=gateway,
        env={
            "PATH": str(Path(shutil.which("node")).parent),
            "CATALOG_URL": address,
            "CATALOG_TOKEN": secret,
            "NODE_ENV": "production",
        },
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(json.dumps(given).encode()), _PATIENCE)
    assert process.returncode == 0, err.decode()
    return json.loads(out.decode().splitlines()[-1])


async def test_a_gateway_composes_and_joins(gateway, subgraph) -> None:
    """Apollo composes the subgraph without an error or a hint; a gateway reaches our things from another's and another's from ours."""
    world = graph_world.World()
    slugs = {team_id: slug for slug, team_id in world.teams.items()}
    service = next(row for row in world.rows if isinstance(row, records.Service) and row.owner_id in slugs)
    owner, stack = slugs[service.owner_id], world.stacks[0]
    incident = {"id": "1", "title": "It burns", "service": service.id, "stack": stack.id, "team": service.owner_id}
    given = {"subgraph": federation.sdl(), "incidents": [incident], "queries": [BY_INCIDENT, BY_TEAM]}
    told = await composed(gateway, subgraph, given)
    assert (told["errors"], told["hints"]) == ([], [])
    by_incident, by_team = told["answers"]
    assert "errors" not in by_incident, by_incident
    (found,) = by_incident["data"]["incidents"]
    own = {"nodes": [{"title": "It burns"}], "pageInfo": {"hasNextPage": False}}
    assert found["service"] == {"slug": service.slug, "owner": {"slug": owner, "incidents": own}}
    assert found["stack"]["name"] == stack.name
    assert "errors" not in by_team, by_team
    teams = by_team["data"]["teams"]["nodes"]
    assert {row["slug"] for row in teams if row["incidents"]["nodes"]} == {owner} & {row["slug"] for row in teams}
