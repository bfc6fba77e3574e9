"""`catalog preview | request | approve | reject | cancel | resolve`: changes, through the graph, as the owner of a token."""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from catalog import errors
from catalog.cli import following, output, remote

_PREVIEW = """
  digest requiresApproval mayApprove unknownInstances
  costBefore { amount currency } costAfter { amount currency } costDelta { amount currency }
  files { path diff } verdicts { policy passed severity message }
  affected(first: 100) { totalCount nodes { stackName componentType componentName reasons } }
"""
_PLAN = "digest create update replace delete levels { instances planned resourceTypes changes }"
REQUEST = f"""
  id number action state stackName componentType componentName requester justification commit
  requiredApprovals mayApprove parameters approvals {{ decision by comment at void }}
  plan {{ {_PLAN} }} preview {{ {_PREVIEW} }}
  steps {{ name kind tool state summary error hint }}
"""
_ERRORS = "errors { code message path ... on PlanChanged { difference } ... on Ambiguous { candidates } }"
_FIND = f"query Find($number: Int!) {{ provisioningRequest(number: $number) {{ {REQUEST} }} }}"
_OWNER = """
query Owner($stack: String!, $component: String!, $type: ComponentType, $estate: String) {
  componentInstance(stack: $stack, component: $component, type: $type, estate: $estate) { ownership { team { slug } } }
}
"""


def _target_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What a preview and a request both name."""
    for option in (
        click.option("--estate", help="The estate, when several have such a stack."),
        click.option("--team", help="On whose behalf. [default: the team that owns the instance]"),
        click.option("--parameters", metavar="JSON|@FILE", help="The variables as one JSON object, or a file with it."),
        click.option(
            "--set", "settings", multiple=True, metavar="PATH=VALUE", help="A variable, as `tags.owner=web`; the value is YAML."
        ),
        click.option("--type", "type_", default="terraform", show_default=True, help="The component's type."),
        click.option("--stack", "-s", required=True, help="The stack."),
        click.argument("component"),
    ):
        command = option(command)
    return command


@click.command()
@_target_options
@output.format_option("text", ("text", "json", "yaml"))
@remote.options
def preview(*, format_: str, url: str | None, token: str | None, **target: Any) -> None:
    """Show what a change would do; nothing is written.

    The rendered files as a diff, the affected instances, cost before and after, verdicts, and who may approve.
    """
    client = remote.connect(url, token)
    document = (
        "query Preview($input: PreviewProvisioningInput!) { previewProvisioning(input: $input)"
        f" {{ preview {{ {_PREVIEW} }} {_ERRORS} }} }}"
    )
    shown = client.mutate(document, "previewProvisioning", {"input": _input(client, **target)})["preview"]
    if format_ == "text":
        click.echo(preview_text(shown), nl=False)
    else:
        output.document(shown, format_)


@click.command()
@_target_options
@click.option("--justification", "-m", help="Why; the approver reads it.")
@click.option("--idempotency-key", help="Sending the same key again gives the same request. [default: a new one]")
@click.option("--watch", is_flag=True, help="Follow it to its end: steps and log on stderr; exit 1 unless it succeeds.")
@output.format_option("table")
@remote.options
def request(
    *,
    justification: str | None,
    idempotency_key: str | None,
    watch: bool,
    format_: str,
    url: str | None,
    token: str | None,
    **target: Any,
) -> None:
    """Ask for a change.

    Sets variables of a component in a stack: the change is planned, waits for approval, is committed and then applied.
    """
    client = remote.connect(url, token)
    sent = _input(client, **target) | {"idempotencyKey": idempotency_key or uuid.uuid4().hex, "justification": justification}
    document = (
        "mutation Request($input: RequestProvisioningInput!) { requestProvisioning(input: $input)"
        f" {{ provisioningRequest {{ {REQUEST} }} {_ERRORS} }} }}"
    )
    made = client.mutate(document, "requestProvisioning", {"input": sent})["provisioningRequest"]
    click.echo(f"request {made['number']} is made; approve it with `catalog approve {made['number']}`", err=True)
    _finish(client, made, watch=watch, format_=format_)


@click.command()
@click.argument("number", type=int)
@click.option("--digest", help="The digest of what you saw. [default: that of what is shown now, on stderr]")
@click.option("--comment", "-m", help="Why.")
@click.option("--yes", "-y", is_flag=True, help="Don't ask, even on a terminal.")
@click.option("--watch", is_flag=True, help="Follow it to its end; exit 1 unless it succeeds.")
@output.format_option("table")
@remote.options
def approve(
    *,
    number: int,
    digest: str | None,
    comment: str | None,
    yes: bool,
    watch: bool,
    format_: str,
    url: str | None,
    token: str | None,
) -> None:
    """Approve a request, by the digest of what it shows.

    Waits until it has been planned. What is approved is shown on stderr; on a terminal it is asked for first. If anything of it
    changes, the approval is void.
    """
    client = remote.connect(url, token)
    found = following.until_decidable(client, find(client, number), find)
    click.echo(request_text(found), nl=False, err=True)
    if digest is None and not yes and sys.stdin.isatty():
        click.confirm(f"Approve request {number}?", abort=True, err=True)
    decided = _decide(client, "approveRequest", found, digest or _digest(found), comment)
    _finish(client, decided, watch=watch, format_=format_)


@click.command()
@click.argument("number", type=int)
@click.option("--comment", "-m", help="Why; the requester reads it.")
@output.format_option("table")
@remote.options
def reject(*, number: int, comment: str | None, format_: str, url: str | None, token: str | None) -> None:
    """Reject a request."""
    client = remote.connect(url, token)
    found = find(client, number)
    _finish(client, _decide(client, "rejectRequest", found, _digest(found), comment), watch=False, format_=format_)


@click.command()
@click.argument("number", type=int)
@click.option("--reason", "-m", help="Why.")
@output.format_option("table")
@remote.options
def cancel(*, number: int, reason: str | None, format_: str, url: str | None, token: str | None) -> None:
    """Cancel a request of your own."""
    client = remote.connect(url, token)
    found = find(client, number)
    document = (
        "mutation Cancel($input: CancelRequestInput!) { cancelRequest(input: $input)"
        f" {{ provisioningRequest {{ {REQUEST} }} {_ERRORS} }} }}"
    )
    payload = client.mutate(document, "cancelRequest", {"input": {"id": found["id"], "reason": reason}})
    _finish(client, payload["provisioningRequest"], watch=False, format_=format_)


@click.command()
@click.argument("number", type=int)
@click.option(
    "--outcome",
    type=click.Choice(["applied", "not-applied", "abandon"], case_sensitive=False),
    required=True,
    help="applied: it goes on; not-applied: it plans anew; abandon: it fails.",
)
@click.option("--comment", "-m", required=True, help="How it was found out.")
@output.format_option("table")
@remote.options
def resolve(*, number: int, outcome: str, comment: str, format_: str, url: str | None, token: str | None) -> None:
    """Say what became of a request whose worker died while applying.

    For requests in APPLY_UNKNOWN, where a fresh plan could not tell: look at what is there first.
    """
    client = remote.connect(url, token)
    document = (
        "mutation Resolve($input: ResolveUnknownInput!) { resolveUnknown(input: $input)"
        f" {{ provisioningRequest {{ {REQUEST} }} {_ERRORS} }} }}"
    )
    found = {"id": find(client, number)["id"], "outcome": outcome.upper().replace("-", "_"), "comment": comment}
    payload = client.mutate(document, "resolveUnknown", {"input": found})
    _finish(client, payload["provisioningRequest"], watch=False, format_=format_)


def find(client: remote.Remote, number: int) -> dict[str, Any]:
    """The request of that number; raises NotFound."""
    found: dict[str, Any] | None = client.ask(_FIND, {"number": number})["provisioningRequest"]
    if found is None:
        raise errors.NotFound(f"there is no request {number} that you may see", hint="`catalog get requests` lists them")
    return found


def _decide(client: remote.Remote, field: str, found: Mapping[str, Any], digest: str, comment: str | None) -> dict[str, Any]:
    document = (
        f"mutation Decide($input: DecideRequestInput!) {{ {field}(input: $input)"
        f" {{ provisioningRequest {{ {REQUEST} }} {_ERRORS} }} }}"
    )
    payload = client.mutate(document, field, {"input": {"id": found["id"], "digest": digest, "comment": comment}})
    decided: dict[str, Any] = payload["provisioningRequest"]
    return decided


def _digest(found: Mapping[str, Any]) -> str:
    shown = found["plan"] or found["preview"]
    if shown is None:
        raise errors.Conflict(
            f"request {found['number']} shows nothing to decide on yet", hint="wait until it is AWAITING_APPROVAL"
        )
    return str(shown["digest"])


def _finish(client: remote.Remote, made: dict[str, Any], *, watch: bool, format_: str) -> None:
    if watch:
        following.follow(client, made["id"])
        made = find(client, made["number"])
    columns = ("number", "action", "componentName", "stackName", "state", "commit")
    if format_ in output.DOCUMENT_FORMATS:
        output.document(made, format_)
    else:
        output.rows([made], columns, format_)
    if watch and made["state"] != "SUCCEEDED":
        raise errors.CatalogError(f"request {made['number']} ended {made['state']}")


def _input(
    client: remote.Remote,
    *,
    component: str,
    stack: str,
    type_: str,
    settings: Sequence[str],
    parameters: str | None,
    team: str | None,
    estate: str | None,
) -> dict[str, Any]:
    kind = type_.upper()
    target = {"stack": stack, "component": component, "estate": estate}
    return {
        **target,
        "action": "APPLY_COMPONENT",
        "componentType": kind,
        "team": team or _owner(client, {**target, "type": kind}),
        "parameters": parameters_of(parameters, settings),
    }


def _owner(client: remote.Remote, target: Mapping[str, Any]) -> str:
    found = client.ask(_OWNER, target)["componentInstance"]
    if found is None:
        raise errors.NotFound(
            f"there is no component {target['component']} in stack {target['stack']}",
            hint=f"`catalog get instances --stack {target['stack']}` lists what is there",
        )
    if found["ownership"] is None:
        raise errors.WrongUse("nobody owns this instance", hint="say on whose behalf with --team")
    return str(found["ownership"]["team"]["slug"])


def parameters_of(whole: str | None, settings: Sequence[str]) -> dict[str, Any]:
    """The parameters: one JSON object, then each `PATH=VALUE` put into it; raises WrongUse for what is neither."""
    given = _object(whole)
    for setting in settings:
        path, separator, text = setting.partition("=")
        if not separator or not all(path.split(".")):
            raise errors.WrongUse(f"--set {setting!r} is not PATH=VALUE", hint="for example --set tags.owner=web")
        *parents, last = path.split(".")
        place = given
        for key in parents:
            place = place.setdefault(key, {})
            if not isinstance(place, dict):
                raise errors.WrongUse(f"--set {setting!r} goes through {key}, which is not a map")
        place[last] = _value(text)
    return given


def _object(whole: str | None) -> dict[str, Any]:
    if whole is None:
        return {}
    try:
        text = Path(whole[1:]).read_text(encoding="utf-8") if whole.startswith("@") else whole
        given = json.loads(text)
    except (OSError, ValueError) as error:
        raise errors.WrongUse(f"--parameters can't be read: {error}") from error
    if not isinstance(given, dict):
        raise errors.WrongUse("--parameters is not a JSON object")
    return given


def _value(text: str) -> Any:
    from catalog.stacks import documents  # noqa: PLC0415 — YAML by the same rules as manifests

    return documents.load(text.encode(), "--set").value


def preview_text(shown: Mapping[str, Any]) -> str:
    """A preview for people: diffs first, since they are what is approved."""
    lines = [file["diff"].rstrip("\n") for file in shown["files"]]
    affected = shown["affected"]
    lines.append(f"affected: {affected['totalCount']}")
    lines += [f"  {row['componentName']} in {row['stackName']} ({', '.join(row['reasons'])})" for row in affected["nodes"]]
    lines.append(f"cost per month: {_money(shown['costBefore'])} -> {_money(shown['costAfter'])}")
    lines += [
        f"{'passed' if row['passed'] else 'FAILED'}: {row['policy']} {row['message'] or ''}".rstrip() for row in shown["verdicts"]
    ]
    lines.append(f"approval: {'by ' + ', '.join(shown['mayApprove']) if shown['requiresApproval'] else 'not needed'}")
    lines.append(f"digest: {shown['digest']}")
    return "\n".join(lines) + "\n"


def request_text(found: Mapping[str, Any]) -> str:
    """What an approver reads: the preview, then what terraform would do."""
    target = f"{found['componentName']} in {found['stackName']}" if found["componentName"] else ""
    lines = [f"request {found['number']} by {found['requester']}: {found['action']} {target}".rstrip()]
    if found["justification"]:
        lines.append(f"because: {found['justification']}")
    text = "\n".join(lines) + "\n" + (preview_text(found["preview"]) if found["preview"] else "")
    plan = found["plan"]
    if plan:
        counts = ", ".join(f"{plan[name]} to {name}" for name in ("create", "update", "replace", "delete") if plan[name])
        text += f"plan: {counts or 'nothing to do'} (digest {plan['digest']})\n"
    return text


def _money(money: Mapping[str, Any] | None) -> str:
    return f"{money['amount']} {money['currency']}" if money else "unknown"
