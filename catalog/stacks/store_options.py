"""What Atmos asks of `stores` in atmos.yaml before it reads any of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from catalog.errors import EstateError
from catalog.stacks import decoding
from catalog.stacks.decoding import Locate
from catalog.stacks.findings import Findings
from catalog.stacks.merging import Map

# The old `type` of a store → its kind.
_KINDS = {
    "azure-key-vault": "azure/keyvault",
    "aws-ssm-parameter-store": "aws/ssm",
    "aws-secrets-manager": "aws/asm",
    "google/secretmanager": "gcp/secretmanager",
    "google-secret-manager": "gcp/secretmanager",
    "gsm": "gcp/secretmanager",
    "hashicorp-vault": "hashicorp/vault",
    "1password": "onepassword",
    "keyring": "keychain",
    "github-actions": "github/actions",
}
_UNENCRYPTED = ("redis", "artifactory")
_REDIS = "failed to parse redis url\neither url must be set in options or ATMOS_REDIS_URL environment variable must be set"
_ARTIFACTORY = (
    "either access_token must be set in options or one of JFROG_ACCESS_TOKEN or "
    "ARTIFACTORY_ACCESS_TOKEN environment variables must be set"
)

# kind → the options of which one must be set, the variables that may stand for them, what Atmos says otherwise
_NEEDED: dict[str, tuple[tuple[str, ...], tuple[str, ...], str]] = {
    "redis": (("url",), ("ATMOS_REDIS_URL",), _REDIS),
    "artifactory": (("access_token",), ("JFROG_ACCESS_TOKEN", "ARTIFACTORY_ACCESS_TOKEN"), _ARTIFACTORY),
    "azure/keyvault": (("vault_url", "endpoint"), (), "vault_url is required in azure key vault store configuration"),
    "aws/ssm": (("region",), (), "region is required in ssm store configuration"),
    "aws/asm": (("region",), (), "region is required in ssm store configuration"),
    "gcp/secretmanager": (("project_id",), (), "project_id is required in Google Secret Manager store configuration"),
    "hashicorp/vault": (("mount", "path"), (), "mount is required in hashicorp vault store configuration"),
    "onepassword": ((), (), ""),
    "keychain": ((), (), ""),
    "github/actions": ((), (), ""),
}


def check(values: Map, environment: Mapping[str, str], findings: Findings, locate: Locate) -> None:
    """Insist on what every store needs; raises EstateError in Atmos' words. Lenient reading, which reads no store, asks for nothing."""
    if not findings.strict:
        return
    stores: Map = decoding.get(values, ("stores",), {})
    for name, store in stores.items():
        words = _problem(store, environment.get) if isinstance(store, dict) and store else ""
        if words:
            raise EstateError(words, code="CONFIG", location=locate(("stores", name)))


def _problem(store: Map, variable: Callable[[str], str | None]) -> str:
    """What keeps a store from being made; empty where nothing does."""
    written = store.get("kind") or store.get("type") or ""
    kind = _KINDS.get(written, written)
    if kind in _UNENCRYPTED and store.get("secret") is True:
        return f"store backend '{kind}' does not encrypt what it keeps, and can't hold secrets"
    if kind not in _NEEDED:
        return f"store type not found: {kind}"
    options: Any = store.get("options") or {}
    needed, variables, words = _NEEDED[kind]
    is_given = not needed or any(options.get(key) for key in needed) or any(variable(name) for name in variables)
    return "" if is_given else words
