"""The HCL engine reads what a Terraform module says about itself, and survives what it can't read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from catalog.engines import hcl
from catalog.errors import Unavailable

NETWORK = b"""
terraform {
  required_version = ">= 1.5"
  required_providers {
    aws  = { source = "hashicorp/aws", version = "~> 5.0" }
    null = "~> 3.0"
  }
  backend "s3" {}
}

variable "cidr" {
  type        = string
  description = "Address range."
  validation {
    condition     = can(cidrhost(var.cidr, 0))
    error_message = "Must be a CIDR."
  }
}

variable "subnets" {
  type = map(object({
    zone   = string
    public = optional(bool, true)
    ports  = optional(list(number))
  }))
  default  = {}
  nullable = false
}

variable "password" {
  type      = string
  sensitive = true
  default   = null
}

resource "aws_vpc" "this" {}
resource "aws_subnet" "a" {}
resource "aws_subnet" "b" {}
data "aws_region" "current" {}

module "labels" {
  source  = "cloudposse/label/null"
  version = "0.25.0"
}

output "id" {
  value       = aws_vpc.this.id
  description = "The VPC."
}
output "secret" {
  value     = var.password
  sensitive = true
}
"""


def variable(engine: hcl.HclEngine, body: str) -> hcl.Variable:
    return engine.parse_module({"variables.tf": f'variable "x" {{\n{body}\n}}\n'.encode()}).variables[0]


def constraint(engine: hcl.HclEngine, condition: str) -> tuple[Any, bool]:
    found = variable(engine, f'validation {{\n condition = {condition}\n error_message = "No."\n}}').validations[0]
    return found.constraint, found.exact


def test_a_module_tells_variables_outputs_providers_modules_and_resources(hcl_engine: hcl.HclEngine) -> None:
    """Everything the catalog shows about a component is read from its code."""
    module = hcl_engine.parse_module({"main.tf": NETWORK})

    first = module.variables[0]
    assert (first.name, first.type_expression, first.has_default, first.file, first.line) == (
        "cidr",
        "string",
        False,
        "main.tf",
        11,
    )
    assert [(entry.name, entry.description, entry.sensitive) for entry in module.outputs] == [
        ("id", "The VPC.", False),
        ("secret", None, True),
    ]
    assert [(entry.name, entry.source, entry.version) for entry in module.providers] == [
        ("aws", "hashicorp/aws", "~> 5.0"),
        ("null", None, "~> 3.0"),
    ]
    assert [(entry.name, entry.source, entry.version, dict(entry.arguments)) for entry in module.modules] == [
        ("labels", "cloudposse/label/null", "0.25.0", {})
    ]
    assert [(entry.mode, entry.type, entry.count) for entry in module.resources] == [
        ("data", "aws_region", 1),
        ("managed", "aws_subnet", 2),
        ("managed", "aws_vpc", 1),
    ]
    assert (module.required_version, module.backend, module.problems) == ((">= 1.5",), "s3", ())


def test_a_module_call_tells_its_arguments(hcl_engine: hcl.HclEngine) -> None:
    """Arguments come as written, with their value where they refer to nothing; what every call may have is no argument."""
    call = """
    module "vpc" {
      source      = "cloudposse/stack-config/yaml//modules/remote-state"
      version     = "1.5.0"
      for_each    = toset(["a"])
      component   = "vpc"
      environment = var.vpc_environment
      context     = module.this.context
    }
    """
    (found,) = hcl_engine.parse_module({"remote-state.tf": call.encode()}).modules

    assert {name: (argument.expression, argument.value) for name, argument in found.arguments.items()} == {
        "component": ('"vpc"', "vpc"),
        "environment": ("var.vpc_environment", None),
        "context": ("module.this.context", None),
    }
    assert (found.file, found.line) == ("remote-state.tf", 2)
    assert "vpc_environment" not in repr(found)  # arguments may be secrets


def test_what_is_deprecated_says_so(hcl_engine: hcl.HclEngine) -> None:
    """A variable's and an output's word to those who still use it is kept."""
    module = hcl_engine.parse_module(
        {
            "m.tf": b'variable "a" {\n deprecated = "Use b."\n}\noutput "o" {\n value = 1\n deprecated = "Use p."\n}\noutput "p" {\n value = 1\n}\n'
        }
    )

    assert (module.variables[0].deprecated, [entry.deprecated for entry in module.outputs]) == ("Use b.", ["Use p.", None])
    assert module.problems == ()


def test_types_come_as_trees_with_optional_attributes_and_their_defaults(hcl_engine: hcl.HclEngine) -> None:
    """A type constraint keeps its structure, down to the default of an optional attribute."""
    subnets = hcl_engine.parse_module({"main.tf": NETWORK}).variables[1]

    assert subnets.type == {
        "kind": "map",
        "element": {
            "kind": "object",
            "attributes": {
                "zone": {"type": {"kind": "string"}, "optional": False},
                "public": {"type": {"kind": "bool"}, "optional": True, "default": True},
                "ports": {"type": {"kind": "list", "element": {"kind": "number"}}, "optional": True},
            },
        },
    }
    assert (subnets.default, subnets.nullable) == ({}, False)


@pytest.mark.parametrize(
    ("body", "kind", "default"),
    [
        ("type = string\n default = 3", "string", "3"),
        ('type = number\n default = "10"', "number", 10),
        ("type = list(string)\n default = []", "list", []),
        ('type = "map"', "map", None),
        ("default = { a = 1 }", "any", {"a": 1}),
        ("type = tuple([string, bool])", "tuple", None),
        ("default = <<-EOT\n  two\n  lines\n  EOT", "any", "two\nlines\n"),
    ],
)
def test_defaults_are_values_as_terraform_reads_them(hcl_engine: hcl.HclEngine, body: str, kind: str, default: Any) -> None:
    """Defaults are evaluated and primitive ones converted to the variable's type; the words of Terraform 0.11 still mean types."""
    found = variable(hcl_engine, body)

    assert (found.type["kind"], found.default) == (kind, default)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ('contains(["a", "b"], var.x)', {"operation": "enum", "value": ["a", "b"]}),
        ('can(regex("^[a-z]+$", var.x))', {"operation": "pattern", "value": "^[a-z]+$"}),
        ('length(regexall("^[a-z]+$", var.x)) > 0', {"operation": "pattern", "value": "^[a-z]+$"}),
        ('startswith(var.x, "s3://a.")', {"operation": "pattern", "value": r"^s3://a\."}),
        ("can(cidrhost(var.x, 0))", {"operation": "cidr"}),
        ("floor(var.x) == var.x", {"operation": "integer"}),
        ("ceil(var.x) == var.x", {"operation": "integer"}),
        ("can(index([1, 2], var.x))", {"operation": "enum", "value": [1, 2]}),
        (
            'lookup(var.x, "case", null) == null ? true : contains(["lower"], var.x["case"])',
            {
                "operation": "property",
                "name": "case",
                "of": [
                    {"operation": "any", "of": [{"operation": "enum", "value": [None]}, {"operation": "enum", "value": ["lower"]}]}
                ],
            },
        ),
        (
            'alltrue([for v in [var.x.sku] : v == null || contains(["a"], v)])',
            {
                "operation": "property",
                "name": "sku",
                "of": [{"operation": "any", "of": [{"operation": "enum", "value": [None]}, {"operation": "enum", "value": ["a"]}]}],
            },
        ),
        (
            "alltrue([for k, v in var.x : length(k) <= 8 && length(v) <= 9])",
            {
                "operation": "all",
                "of": [
                    {"operation": "items", "of": [{"operation": "max_length", "value": 9}]},
                    {"operation": "names", "of": [{"operation": "max_length", "value": 8}]},
                ],
            },
        ),
        (
            "alltrue(flatten([for q in var.x : [for r in q.roles : r.id > 1]]))",
            {
                "operation": "items",
                "of": [
                    {
                        "operation": "property",
                        "name": "roles",
                        "of": [
                            {
                                "operation": "items",
                                "of": [
                                    {"operation": "property", "name": "id", "of": [{"operation": "exclusive_minimum", "value": 1}]}
                                ],
                            }
                        ],
                    }
                ],
            },
        ),
        (
            'alltrue([for v in coalesce(var.x.ids, []) : v != ""])',
            {
                "operation": "property",
                "name": "ids",
                "of": [{"operation": "items", "of": [{"operation": "not", "of": [{"operation": "enum", "value": [""]}]}]}],
            },
        ),
        (
            '!(var.x.port == "80" || var.x.host == "")',
            {
                "operation": "all",
                "of": [
                    {
                        "operation": "property",
                        "name": "port",
                        "of": [{"operation": "not", "of": [{"operation": "enum", "value": ["80"]}]}],
                    },
                    {
                        "operation": "property",
                        "name": "host",
                        "of": [{"operation": "not", "of": [{"operation": "enum", "value": [""]}]}],
                    },
                ],
            },
        ),
        ("length(distinct(var.x)) == length(var.x)", {"operation": "unique"}),
        ("length(trimspace(var.x)) > 0", {"operation": "pattern", "value": r"\S"}),
        ("0 < var.x", {"operation": "exclusive_minimum", "value": 0}),
        (
            'var.x.port != "80"',
            {"operation": "property", "name": "port", "of": [{"operation": "not", "of": [{"operation": "enum", "value": ["80"]}]}]},
        ),
        ('contains(keys(var.x), "Team")', {"operation": "key", "name": "Team"}),
        (
            "var.x >= 1 && var.x <= 9",
            {"operation": "all", "of": [{"operation": "minimum", "value": 1}, {"operation": "maximum", "value": 9}]},
        ),
        (
            'var.x == null ? true : contains(["a"], var.x)',
            {"operation": "any", "of": [{"operation": "enum", "value": [None]}, {"operation": "enum", "value": ["a"]}]},
        ),
        (
            'alltrue([for v in var.x : can(regex("^i-", v.id))])',
            {
                "operation": "items",
                "of": [{"operation": "property", "name": "id", "of": [{"operation": "pattern", "value": "^i-"}]}],
            },
        ),
        (
            "length(var.x) == 2",
            {"operation": "all", "of": [{"operation": "min_length", "value": 2}, {"operation": "max_length", "value": 2}]},
        ),
    ],
)
def test_common_conditions_are_understood_whole(hcl_engine: hcl.HclEngine, condition: str, expected: Any) -> None:
    """A validation in one of the usual idioms becomes data that says exactly what it demands."""
    assert constraint(hcl_engine, condition) == (expected, True)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ('var.x != "prod" || var.other == 1', None),
        ("var.x % 2 == 0", None),
        ("length(toset(var.x)) <= 3", None),
        ('!(var.x == "a" && timestamp() != "")', None),
        ("var.x > 1 && var.x > var.least", {"operation": "exclusive_minimum", "value": 1}),
        (
            'contains(["a"], lookup(var.x, "k", "b"))',
            {"operation": "property", "name": "k", "of": [{"operation": "enum", "value": ["a"]}]},
        ),
        (
            'try(contains(["a"], var.x), true)',
            {"operation": "any", "of": [{"operation": "enum", "value": [None]}, {"operation": "enum", "value": ["a"]}]},
        ),
        (
            "alltrue([for k, v in var.x : length(v) <= 9 && k != v])",
            {"operation": "items", "of": [{"operation": "max_length", "value": 9}]},
        ),
    ],
)
def test_what_is_not_understood_never_demands_more_than_the_condition(
    hcl_engine: hcl.HclEngine, condition: str, expected: Any
) -> None:
    """An unknown part of a condition weakens what is read from it, never strengthens it, and is marked."""
    assert constraint(hcl_engine, condition) == (expected, False)


def test_a_broken_file_gives_diagnostics_and_what_was_recovered(hcl_engine: hcl.HclEngine) -> None:
    """One syntax error hides neither the other files nor the blocks before it."""
    module = hcl_engine.parse_module(
        {"good.tf": b'variable "a" {}\n', "bad.tf": b'variable "b" {\n  type = string\n}\nvariable "c" {\n  type = \n}\n'}
    )

    assert {"a", "b"} <= {entry.name for entry in module.variables}
    assert {(entry.severity, entry.file, entry.line) for entry in module.problems} == {("ERROR", "bad.tf", 5)}


def test_a_variable_declared_twice_is_an_error_and_an_override_is_not(hcl_engine: hcl.HclEngine) -> None:
    """Duplicates are reported as Terraform does; override files change what is declared elsewhere."""
    module = hcl_engine.parse_module(
        {
            "a.tf": b'variable "x" {\n default = 1\n}\n',
            "b.tf": b'variable "x" {\n default = 2\n}\n',
            "a_override.tf": b'variable "x" {\n default = 3\n}\n',
        }
    )

    assert [(entry.name, entry.default) for entry in module.variables] == [("x", 3)]
    assert [(entry.summary, entry.file) for entry in module.problems] == [("Duplicate variable declaration", "b.tf")]


def test_json_syntax_is_read_like_the_native_one(hcl_engine: hcl.HclEngine) -> None:
    """Files named .tf.json say the same things."""
    text = json.dumps(
        {
            "variable": {
                "size": {
                    "type": "number",
                    "default": 3,
                    "validation": {"condition": "${var.size < 9}", "error_message": "Too big."},
                }
            },
            "output": {"a": {"value": "${var.size}"}},
        }
    )

    module = hcl_engine.parse_module({"main.tf.json": text.encode()})

    assert [(entry.name, entry.type, entry.default) for entry in module.variables] == [("size", {"kind": "number"}, 3)]
    assert module.variables[0].validations[0].constraint == {"operation": "exclusive_maximum", "value": 9}
    assert (module.outputs[0].name, module.problems) == ("a", ())


def test_a_flag_that_cannot_be_read_counts_as_sensitive(hcl_engine: hcl.HclEngine) -> None:
    """What might be a secret is treated as one."""
    assert variable(hcl_engine, "sensitive = local.maybe").sensitive
    assert not variable(hcl_engine, "sensitive = false").sensitive


def test_bytes_that_are_not_text_are_survived(hcl_engine: hcl.HclEngine) -> None:
    """Neither a byte order mark nor binary rubbish stops the reading of a module."""
    module = hcl_engine.parse_module({"a.tf": b'\xef\xbb\xbfvariable "a" {}\n', "b.tf": b"\xff\xfe\x00\x01"})

    assert [entry.name for entry in module.variables] == ["a"]
    assert {entry.file for entry in module.problems} == {"b.tf"}


def endless() -> bytes:
    return b"".join(b'variable "v%d" {\n  type = string\n}\n' % number for number in range(60_000))


@pytest.mark.parametrize(("limits", "reason"), [({"deadline": 0.05}, "no answer within"), ({"memory": 32}, "unreachable")])
def test_a_call_beyond_its_limits_fails_alone(engine_cache: Any, limits: dict[str, Any], reason: str) -> None:
    """Too much time or memory ends one call with a clear error, and the next one works."""
    engine = hcl.HclEngine(engine_cache, **limits)

    with pytest.raises(Unavailable, match=reason):
        engine.parse_module({"main.tf": endless()})

    assert len(engine.parse_module({"main.tf": b'variable "a" {}\n'}).variables) == 1


def test_nesting_that_exhausts_the_stack_fails_alone(hcl_engine: hcl.HclEngine) -> None:
    """A file made to blow the parser's stack is an error, not the end of the process."""
    with pytest.raises(Unavailable, match="gave up"):
        hcl_engine.parse_module({"main.tf": b'variable "a" {\n default = ' + b"[" * 200_000 + b"]" * 200_000 + b"\n}\n"})

    assert len(hcl_engine.parse_module({"main.tf": b'variable "a" {}\n'}).variables) == 1
