"""Terraform's backend and remote state backend: which type, which settings, and the names Atmos gives where none is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from catalog.errors import EstateError
from catalog.stacks.merging import EMPTY, Map, Memo


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The component whose backend is told: for names and errors. `separator` stands for `/` in generated prefixes."""

    component: str
    stack: str
    prefix: str
    separator: str


def backend(owner: Owner, layers: tuple[Map, Map, Map], memo: Memo, strategy: str) -> tuple[str, Map]:
    """Return (backend_type, backend) from the type-level, base and component layers; each holds both keys or neither."""
    kind = _kind("backend_type", layers, "")
    merged = EMPTY
    for layer in layers:
        merged = memo.merge(merged, _map(layer.get("backend"), "terraform.backend", owner), strategy)
    chosen: Map = EMPTY
    if kind in merged:
        chosen = _map(merged[kind], "terraform.backend", owner)
    elif kind and merged:
        raise _mismatch(owner, "backend_type", kind, "backend", merged)
    return kind, _with_defaults(owner, kind, chosen, layers, memo)


def remote_state(owner: Owner, own: tuple[str, Map], layers: tuple[Map, Map, Map], memo: Memo, strategy: str) -> tuple[str, Map]:
    """Return (remote_state_backend_type, remote_state_backend); `own` is what `backend` gave, the lowest layer of the same type."""
    kind = _kind("remote_state_backend_type", layers, own[0])
    written = [_map(layer.get("remote_state_backend"), "terraform.remote_state_backend", owner) for layer in layers]
    configured = {key for section in written for key in section}
    if kind and configured and kind not in configured:
        raise _mismatch(owner, "remote_state_backend_type", kind, "remote_state_backend", configured)
    merged = own[1] if kind == own[0] else EMPTY
    for section in written:
        merged = memo.merge(merged, _map(section.get(kind, EMPTY), "terraform.remote_state_backend", owner), strategy)
    return kind, merged


def _kind(key: str, layers: tuple[Map, Map, Map], lowest: str) -> str:
    return next((str(layer[key]) for layer in reversed(layers) if layer.get(key)), lowest)


def _with_defaults(owner: Owner, kind: str, chosen: Map, layers: tuple[Map, Map, Map], memo: Memo) -> Map:
    key = {"s3": "workspace_key_prefix", "gcs": "prefix"}.get(kind)
    if key is not None:
        present = chosen.get(key)
        return chosen if isinstance(present, str) and present else memo.merge(chosen, memo.first_equal({key: _separated(owner)}))
    return _with_azure_key(owner, chosen, layers, memo) if kind == "azurerm" else chosen


def _with_azure_key(owner: Owner, chosen: Map, layers: tuple[Map, Map, Map], memo: Memo) -> Map:
    shared, own = (_azure_key(layer) for layer in (layers[0], layers[2]))
    if own is not None:
        return chosen
    present = chosen.get("key")
    if isinstance(present, str) and present and present != shared:
        return chosen
    name = f"{_separated(owner)}.terraform.tfstate"
    return memo.merge(chosen, memo.first_equal({"key": name if shared is None else f"{shared}/{name}"}))


def _azure_key(layer: Map) -> str | None:
    section = layer.get("backend")
    azure = section.get("azurerm") if isinstance(section, dict) else None
    key = azure.get("key") if isinstance(azure, dict) else None
    return key if isinstance(key, str) else None


def _separated(owner: Owner) -> str:
    return owner.prefix.replace("/", owner.separator)


def _map(value: Any, name: str, owner: Owner) -> Map:
    if value is None:
        return EMPTY
    if not isinstance(value, dict):
        raise EstateError(f"invalid {name} section: for the component '{owner.component}'", code="BACKEND")
    return value


def _mismatch(owner: Owner, key: str, kind: str, section: str, configured: Any) -> EstateError:
    keys = ", ".join(sorted(configured))
    return EstateError(
        f'backend_type does not match any key configured under backend: component "{owner.component}" in stack "{owner.stack}": '
        f'{key} is "{kind}" but {section}: only configures {keys}. Add a "{kind}" key under {section}:, or change {key} to match.',
        code="BACKEND",
    )
