"""Input schemas beside the judgement of the real terraform: every rule on every value, in one plan."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from catalog.engines import hcl
from catalog.indexer import input_schema

pytestmark = pytest.mark.terraform

STRINGS = ["", "a", "b", "ab", "A1", "prod-1", " ", "10.0.0.0/16", "10.0.0.0", "x_y"]
NUMBERS = [-1, 0, 1, 1.5, 5, 9, 80]
LISTS = [[], [""], ["a"], ["a", "a"], ["a", "b"], ["i-1", "x"], ["a", "b", "c"]]
MAPS: list[Any] = [{}, {"Team": "a"}, {"Team": ""}, {"a": "b"}, {"toolong": "a"}, {"a": "toolong"}, {"Team": "a", "b": "b"}]
OBJECTS: list[Any] = [
    {"sku": "Basic", "port": 80, "ids": ["a"]}, {"sku": "Other", "port": 0, "ids": []}, {"sku": None, "port": 443}, {"port": 80, "ids": [""]},
    {"sku": "Basic", "port": 81.5, "ids": None},
]  # fmt: skip
NESTED: list[Any] = [
    {},
    {"q": {"roles": {}}},
    {"q": {"roles": {"r": {"id": "x"}}}},
    {"q": {"roles": {"r": {"id": "i-1"}, "s": {"id": "n"}}}},
]

RULES: list[tuple[str, list[Any], list[str]]] = [
    (
        "string",
        STRINGS,
        [
            'contains(["a", "b"], var.x)', 'var.x == "a" || var.x == "b"', '!contains(["a"], var.x)', 'var.x != ""', "length(var.x) > 1",
            "length(var.x) == 2", "length(var.x) != 2", 'can(regex("^[a-z]+$", var.x))', 'can(regex("^[[:alpha:]][[:alnum:]]*$", var.x))',
            'can(regex("\\\\Aprod|b\\\\z", var.x))', 'length(regexall("[0-9]", var.x)) > 0', "length(trimspace(var.x)) > 0", 'startswith(var.x, "p")',
            'endswith(var.x, "1")', '!(startswith(var.x, "a") || var.x == "b")', 'can(index(["a", "ab"], var.x))', 'var.x == "" ? true : can(regex("^p", var.x))',
            'var.x != "" ? can(regex("b", var.x)) : true', 'anytrue([var.x == "a", length(var.x) > 4])', 'alltrue([var.x != "a", length(var.x) < 4])',
            'try(contains(["a"], var.x), false)', 'contains(toset(["a", "b"]), var.x)', "length(var.x) > 1 && var.x != upper(var.x)",
        ],
    ),
    ("number", NUMBERS, ["var.x > 0", "0 <= var.x && var.x < 9", "floor(var.x) == var.x", "ceil(var.x) == var.x", "contains([0, 80], var.x)", "!(var.x >= 5)", "var.x != 1"]),
    (
        "list(string)",
        LISTS,
        [
            "length(var.x) > 0", "length(var.x) <= 2", "length(distinct(var.x)) == length(var.x)", 'alltrue([for v in var.x : v != ""])',
            'alltrue([for v in var.x : can(regex("^i-", v)) || v == "a"])', 'length(setsubtract(var.x, ["a", "b"])) == 0', "alltrue([for i, v in var.x : length(v) < 2])",
        ],
    ),
    (
        "map(string)",
        MAPS,
        [
            'contains(keys(var.x), "Team")', "length(var.x) > 0", "alltrue([for k, v in var.x : length(k) < 6 && length(v) < 6])", 'alltrue([for k in keys(var.x) : can(regex("^[A-Z]", k))])',
            'alltrue([for v in values(var.x) : v != ""])', 'lookup(var.x, "Team", null) == null ? true : contains(["a"], var.x["Team"])', 'lookup(var.x, "Team", "none") != "a"',
        ],
    ),
    (
        "object({ sku = optional(string), port = number, ids = optional(list(string)) })",
        OBJECTS,
        [
            "var.x.port > 1", 'var.x.sku == null ? true : contains(["Basic"], var.x.sku)', 'alltrue([for v in [var.x.sku] : v == null ? true : contains(["Basic"], v)])',
            '!(var.x.sku == "Basic")', 'var.x.sku == null ? true : can(regex("^B", var.x.sku))', 'alltrue([for v in coalesce(var.x.ids, []) : v != ""])',
            "floor(var.x.port) == var.x.port && var.x.port < 443",
        ],
    ),
    (
        "map(object({ roles = map(object({ id = string })) }))",
        NESTED,
        ['alltrue(flatten([for q in var.x : [for r in q.roles : can(regex("^i-", r.id))]]))', 'alltrue([for k, q in var.x : alltrue([for r in q.roles : r.id != "n"])])', "alltrue([for k, q in var.x : length(q.roles) > 0])"],
    ),
]  # fmt: skip
CASES = [(kind, condition, value) for kind, values, conditions in RULES for condition in conditions for value in values]


_LINES = 7  # of each variable


def code() -> str:
    return "\n".join(
        f'variable "x{at}" {{\n  type = {kind}\n  validation {{\n    condition = {re.sub(r"var[.]x", f"var.x{at}", condition)}\n    error_message = "No."\n  }}\n}}'
        for at, (kind, condition, _) in enumerate(CASES)
    )


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> set[int]:
    """The cases whose value terraform refuses."""
    place = tmp_path_factory.mktemp("rules")
    (place / "main.tf").write_text(code())
    (place / "values.tfvars.json").write_text(json.dumps({f"x{at}": value for at, (_, _, value) in enumerate(CASES)}, indent=0))
    environment = {"PATH": os.environ["PATH"], "HOME": str(place), "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
    told = [
        subprocess.run(["terraform", *arguments], cwd=place, env=environment, capture_output=True, text=True, check=False).stdout
        for arguments in (("init", "-input=false"), ("plan", "-input=false", "-json", "-var-file=values.tfvars.json"))
    ][1]
    entries = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    errors = [
        entry["diagnostic"] for entry in entries if entry["type"] == "diagnostic" and entry["diagnostic"]["severity"] == "error"
    ]
    assert errors
    return {_case_of(error) for error in errors}


def _case_of(error: dict[str, Any]) -> int:
    """The case that an error is about, by the line of its rule or of the condition that fails on it."""
    rule = re.search(r"validation rule at main[.]tf:(\d+)", error["detail"])
    assert rule or error["range"]["filename"] == "main.tf", error
    return ((int(rule[1]) if rule else error["range"]["start"]["line"]) - 1) // _LINES


def test_a_schema_refuses_what_terraform_refuses_and_nothing_else(refused: set[int], hcl_engine: hcl.HclEngine) -> None:
    """Where a rule is understood whole the schema judges as terraform does; where it isn't, it refuses no value that terraform takes."""
    schema = input_schema.of_module(hcl_engine.parse_module({"main.tf": code().encode()}))

    stricter, laxer, whole = [], [], 0
    for at, case in enumerate(CASES):
        shown = schema["properties"][f"x{at}"]
        accepts = Draft202012Validator(shown).is_valid(case[2])
        whole += "x-terraform-validation" not in shown
        if not accepts and at not in refused:
            stricter.append(case)
        elif accepts and at in refused and "x-terraform-validation" not in shown and "x-format" not in shown:
            laxer.append(case)
    assert (stricter, laxer) == ([], [])
    assert whole > len(CASES) * 0.9
