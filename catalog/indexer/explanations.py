"""What every code of a diagnostic means and what to do about it: shown at `/diagnostics`, and written to `docs/diagnostics.md`.

A test holds the table against every code that reading an estate can give.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What is wrong, and what to do."""

    means: str
    remedy: str


def _says(means: str, remedy: str) -> Explanation:
    return Explanation(means=means, remedy=remedy)


# Grouped by what is read; the groups are the headings of the page.
GROUPS: Mapping[str, Mapping[str, Explanation]] = {
    "Files and configuration": {
        "CONFIG": _says(
            "`atmos.yaml`, or a file that it imports, can't be used as it is written.",
            "Correct the key that the message names; `catalog validate stacks` reads it the same way.",
        ),
        "YAML": _says("A file is no valid YAML, or not the shape that Atmos reads.", "Correct it at the line that is named."),
        "TOO_LARGE": _says("A file is larger than anything that is meant to be read.", "Split it, or leave it out of the stacks."),
        "SIZE": _says(
            "A value grows beyond all measure: by nesting, by aliases or by templates.",
            "Look for a template or an anchor that copies itself.",
        ),
        "OUTSIDE": _says("A path leads out of the estate. Nothing outside is read.", "Keep what the estate needs inside of it."),
        "FOREIGN": _says(
            "A file below the stacks is no stack manifest but another tool's.", "Exclude it by `stacks.excluded_paths`."
        ),
        "UNKNOWN_KEY": _says("A key is none that Atmos knows; it is most likely misspelt.", "Write it as the hint says."),
        "NULL_SECTION": _says("A section is written and left empty.", "Fill it, write `{}`, or remove it."),
        "SCHEMA": _says("A manifest doesn't fulfil the JSON Schema of Atmos.", "Correct what the message names."),
        "NAME_PATTERN": _says(
            "`stacks.name_pattern` holds something that Atmos drops from names.", "Use its known tokens, each between braces."
        ),
        "VALUE": _says("A value can't be written as JSON.", "Replace numbers such as infinity."),
        "UNSTORABLE_VALUE": _says(
            "Values that neither JSON nor Postgres can hold were replaced; the rest of the instance stands.",
            "Replace them: characters such as NUL, numbers such as infinity.",
        ),
    },
    "Imports": {
        "IMPORT": _says("An import can't be found or read.", "Correct the path; it is relative to the stacks directory."),
        "IMPORT_CYCLE": _says("Files import each other in a circle.", "Move what both need into a third file."),
        "IMPORT_DEPTH": _says("Imports nest deeper, or ask for more files, than anything that is meant.", "Import directly."),
        "INCLUDE": _says("`!include` can't be followed.", "Correct its path or its query; it reads inside of the estate only."),
    },
    "Stacks and components": {
        "STACK_NAME": _says(
            "A manifest gives no stack name.", "Set the context variables that the name pattern or template asks for."
        ),
        "DUPLICATE": _says(
            "One component of one stack is defined by several top-level manifests.",
            "Keep one of them, or make the others abstract files that are imported.",
        ),
        "SECTION": _says("A section has another shape than Atmos reads.", "Write a map where the message asks for one."),
        "METADATA": _says("Metadata stand where Atmos doesn't read them, or have another shape.", "Move or correct them."),
        "INHERITANCE": _says(
            "A component inherits from one that isn't there, or over too many levels.",
            "Import the base, correct its name, or inherit directly.",
        ),
        "MERGE": _says("Two layers can't be merged.", "Give the value one shape in all layers, or correct the list strategy."),
        "BACKEND": _says("A backend is missing, or configured under another type than its own.", "Make type and section agree."),
        "LOCALS": _says("Locals can't be worked out.", "Break circles, and correct the template that is named."),
        "CYCLE": _says("Values ask for each other in a circle.", "Let one of them stand alone."),
        "SELECTOR": _says("A selector of labels or tags can't be read.", "Write it as Kubernetes label selectors are written."),
        "DECODING": _says("Part of the settings has another shape than the tool that it is for reads.", "Correct the field named."),
        "UNKNOWN_STACK": _says("A stack is named that isn't there.", "Correct its name, or look why it wasn't read."),
        "UNKNOWN_COMPONENT": _says("A component is named that its stack doesn't have.", "Correct its name, or import it."),
        "COMPONENT_CLASH": _says(
            "Two instances would have one identity; one of them is left out.", "Give one of them another name."
        ),
        "WORKFLOW": _says("A workflow can't be read.", "Correct its file; the other workflows stand."),
        "ESTATE": _says("The estate can't be read at this place, in Atmos' words.", "Correct what the message names."),
    },
    "Templates, functions and secrets": {
        "TEMPLATE": _says("A template fails.", "Correct it at the line named; what it would have set stays as it is written."),
        "QUERY": _says("A query of YQ fails.", "Try it on the value that it is asked of."),
        "FUNCTION": _says("A YAML function is unknown or has wrong arguments.", "Write it as Atmos documents it."),
        "DEFERRED": _says(
            "A value is computed when commands run: it asks a state, a store or a program. Reading executes nothing, so it stays as written.",
            "Nothing is wrong. `catalog describe component` computes it, for who may.",
        ),
        "NOT_PROVISIONED": _says("Outputs of a component are asked for that isn't applied yet.", "Apply it first."),
        "STATE": _says("A Terraform state can't be read.", "Look at its backend's configuration."),
        "STORE": _says("A store is unknown or doesn't answer.", "Name it under `stores` in `atmos.yaml`."),
        "GIT": _says("Something is asked of Git that this reading can't tell.", "Read the estate from its repository."),
        "EMULATOR": _says("`!emulator` has wrong arguments.", "Write `!emulator REFERENCE KEY`."),
        "SECRET": _says(
            "A secret stands in the open, or is asked for wrongly. Its value is redacted everywhere here.",
            "Move it into a secret store and refer to it; then replace it, since Git remembers.",
        ),
        "ENGINE": _says("The engine of templates, queries or HCL fails.", "Report it with the file that is named."),
    },
    "Dependencies": {
        "DEPENDENCY": _says(
            "A dependency can't be read, or leads to nothing.", "Correct the stack or the component that it names."
        ),
        "DEPENDENCY_DROPPED": _says("Atmos drops this form of a dependency.", "Write `settings.depends_on` or `dependencies`."),
        "DEPENDENCY_CYCLE": _says("Instances depend on each other in a circle: no order applies them.", "Remove one of the edges."),
    },
    "Components' code and metadata": {
        "COMPONENT_CODE": _says("An instance needs code that isn't in the estate.", "Vendor it, or correct `metadata.component`."),
        "COMPONENT_FILE": _says("A component's own file can't be read.", "Correct it at the line named."),
        "COMPONENT_KEY": _says("A key of a component's file is unknown.", "Write it as the hint says."),
        "COMPONENT_VALUE": _says("A value of a component's file can't be used.", "Correct it as the hint says."),
        "MAINTAINER_UNKNOWN": _says("A component names a maintainer whom the seeds don't know.", "Add the team to the seeds."),
        "METADATA_VALUE": _says(
            "A fact in the metadata can't be read: a price, a time span, a maturity.", "Write it as the hint says."
        ),
        "METADATA_FOREIGN_KEY": _says("Metadata use another tool's key for something known here.", "Use the key of the hint."),
        "TERRAFORM_SYNTAX": _says("Terraform code can't be parsed.", "Correct it at the line named."),
        "TERRAFORM_ENGINE": _says(
            "Terraform code could not be read at all; variables that may be sensitive are treated so.", "Run the indexer again."
        ),
    },
    "Owners, seeds and services": {
        "OWNER_UNKNOWN": _says("What names an owner is nobody whom the seeds know.", "Add the team to the seeds, or correct it."),
        "SEED_BROKEN": _says("A file of the seeds can't be read; its last good version stands.", "Correct it at the line named."),
        "SEED_SHAPE": _says("An entry of the seeds has a wrong shape and is left out.", "Write it as `docs/seeds.md` says."),
        "SEED_VALUE": _says("A value of the seeds can't be used and is left out.", "Write it as the hint says."),
        "SEED_UNKNOWN_KEY": _says("A key of the seeds is unknown.", "Write it as the hint says."),
        "SEED_TEAM_UNKNOWN": _says("The seeds name a team that they don't define.", "Define it, or correct its slug."),
        "SEEDS_FOREIGN": _says("Another estate's seeds speak for this organisation; these are not used.", "Keep one set of seeds."),
        "SEEDS_PRINCIPALS": _says(
            "These seeds may not say who may do what.", "Grant by the estate that the catalog was set up with."
        ),
        "SERVICE_CLASH": _says("Two services claim one slug.", "Rename one of them."),
    },
    "Governed workflows": {
        "WORKFLOW_STEP_SHAPE": _says("A step has no shape that is known, or names several kinds.", "Write one kind for each step."),
        "WORKFLOW_STEP_UNKNOWN": _says("A step is of no known kind.", "Write one of the kinds that the hint names."),
        "WORKFLOW_TOOL_UNKNOWN": _says("A step names a tool that is not known.", "Write one of the tools that the hint names."),
        "WORKFLOW_OPTION_UNKNOWN": _says("A step has an option that is not known.", "Write it as the hint says."),
        "WORKFLOW_OPTION_INVALID": _says("An option of a step can't have that value.", "Write what the hint expects."),
    },
}
EXPLANATIONS: Mapping[str, Explanation] = {code: one for group in GROUPS.values() for code, one in group.items()}
