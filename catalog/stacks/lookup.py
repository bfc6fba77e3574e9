"""What YAML functions and templates ask of the world outside the estate's files, and what stands there when nobody may answer.

Resolution itself looks nowhere: the caller hands in a `Lookup`. The commands hand in one that does what Atmos does; indexing hands
in nothing, and a function that nobody may answer stays as its text, a `Deferred`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from catalog.errors import NotGiven
from catalog.stacks.merging import Map

if TYPE_CHECKING:
    from catalog.stacks.atmos_config import AtmosConfig

MASK = "<MASKED>"  # what Atmos prints in the place of a secret


class Deferred(str):  # noqa: SLOT000 - a subclass of str can't have slots of its own and needs none
    """A function that was not evaluated, because nobody who may answer was handed in. It equals its text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A component instance whose outputs are asked for: its names, and its entry as `describe component` would print it.

    `function` is the text of the asking function.
    """

    component: str
    stack: str
    entry: Map
    function: str = ""


class Lookup(Protocol):
    """What a caller may hand in. Each method raises NotGiven where it has nothing to say, EstateError in Atmos' words where it fails."""

    def configured(self, config: AtmosConfig) -> None:
        """Learn the estate's configuration, before anything else is asked."""
        ...

    def environment(self) -> Mapping[str, str]:
        """The variables of the process."""
        ...

    def execute(self, script: str, function: str) -> str:
        """Run a shell script and return what it prints."""
        ...

    def outputs(self, target: Target) -> Mapping[str, Any] | None:
        """The outputs of a component, by `terraform output`; None where it isn't provisioned."""
        ...

    def state(self, target: Target) -> Mapping[str, Any] | None:
        """The outputs in a component's state, from its backend; None where it isn't provisioned."""
        ...

    def git(self, fact: str) -> str:
        """A fact about the working tree: root, sha, branch, repository, owner, name, host or url; empty when there is none."""
        ...

    def aws(self, fact: str) -> str:
        """A fact about the caller's account: account_id, caller_identity_arn, caller_identity_user_id, region, organization_id."""
        ...

    def secret(self, text: str) -> Any:
        """What is shown for a secret; `text` is the whole function."""
        ...

    def store(self, name: str, path: tuple[str, ...], function: str) -> Any:
        """A value of a store: by (stack, component, key), or by (key,) as it is kept.

        Raises UnknownStore where there is no such store, KeyError with its reason where the store has no such value.
        """
        ...

    def emulator(self, reference: str, key: str, stack: str) -> Any:
        """A fact about a running emulator."""
        ...

    def fetch(self, address: str) -> bytes:
        """A file from the network."""
        ...

    def file(self, path: str) -> bytes | None:
        """A file outside the tree, by its absolute path or its path from the tree's root; None where there is none."""
        ...

    def has_directory(self, path: str) -> bool:
        """Whether there is a directory outside the tree, by its absolute path or its path from the tree's root."""
        ...

    def datasource(self, alias: str, address: str, arguments: tuple[str, ...]) -> Any:
        """The data of a template's datasource."""
        ...


class Nothing:
    """The lookup that answers nothing: indexing's."""

    def configured(self, config: AtmosConfig) -> None:
        """Nothing to learn."""

    def environment(self) -> Mapping[str, str]:
        """Refuse."""
        raise NotGiven("the environment is not known here")

    def execute(self, script: str, function: str) -> str:
        """Refuse."""
        del script
        raise NotGiven(f"{function} is not run here")

    def outputs(self, target: Target) -> Mapping[str, Any] | None:
        """Refuse."""
        raise NotGiven(f"the outputs of {target.component} in {target.stack} are not known here")

    def state(self, target: Target) -> Mapping[str, Any] | None:
        """Refuse."""
        raise NotGiven(f"the state of {target.component} in {target.stack} is not known here")

    def git(self, fact: str) -> str:
        """Refuse."""
        raise NotGiven(f"git's {fact} is not known here")

    def aws(self, fact: str) -> str:
        """Refuse."""
        raise NotGiven(f"AWS' {fact} is not known here")

    def secret(self, text: str) -> Any:
        """Refuse."""
        raise NotGiven(f"{text} is not read here")

    def store(self, name: str, path: tuple[str, ...], function: str) -> Any:
        """Refuse."""
        del path, function
        raise NotGiven(f"the store {name} is not read here")

    def emulator(self, reference: str, key: str, stack: str) -> Any:
        """Refuse."""
        del key, stack
        raise NotGiven(f"the emulator {reference} is not asked here")

    def fetch(self, address: str) -> bytes:
        """Refuse."""
        raise NotGiven(f"{address} is not fetched here")

    def file(self, path: str) -> bytes | None:
        """Refuse."""
        raise NotGiven(f"{path} lies outside the estate, where no file is read")

    def has_directory(self, path: str) -> bool:
        """Refuse."""
        raise NotGiven(f"{path} lies outside the estate, where nothing is looked up")

    def datasource(self, alias: str, address: str, arguments: tuple[str, ...]) -> Any:
        """Refuse."""
        del address, arguments
        raise NotGiven(f"the datasource {alias} is not read here")


NOTHING: Lookup = Nothing()
