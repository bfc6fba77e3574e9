"""Laws that hold for any estate: random ones with locals, contexts, templates, functions and components that ask for each other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.engines.template import Engine
from catalog.errors import EstateError
from catalog.stacks import estate
from catalog.stacks.evaluation import Processing
from catalog.stacks.tree import MemoryTree
from tests.unit.stacks.test_incremental import assert_equal

CONFIGS = [
    {
        "base_path": ".",
        "stacks": {"base_path": "stacks", "included_paths": ["deploy/**/*"], **named},
        "components": {"terraform": {"base_path": "components/terraform"}},
        "templates": {"settings": {"enabled": True, "sprig": {"enabled": True}, "evaluations": evaluations}},
        "schemas": {"atmos": {"manifest": "schema.json"}},
        **more,
    }
    for named, evaluations, more in (
        ({"name_pattern": "{stage}"}, 1, {}),
        (
            {"name_template": '{{ .vars.stage }}-{{ index .vars "x" | toString | default "t" }}'},
            1,
            {"settings": {"list_merge_strategy": "append"}},
        ),
        ({"name_template": "{{ .vars.stage }}"}, 2, {"env": {"FROM_CONFIG": "c"}}),
    )
]
ANYTHING = b'{"$schema": "https://json-schema.org/draft/2020-12/schema"}'

STAGES = ("dev", "prod")
COMPONENTS = ("a", "b", "c")
SOUND = (
    "plain",
    "{{ .vars.stage }}",
    "{{ .vars.stage }}-x",
    "{{ .settings.s | upper }}",
    '{{ (atmos.Component "a" .stack).vars.x }}',
    '{{ (atmos.Component "b" "dev").outputs.id }}',
    '{{ (atmos.Component "c" "deploy/one").settings.s }}',
    "!terraform.state a id",
    "!terraform.output b dev .list[0]",
    "!terraform.state c {{ .vars.stage }} map",
    "!template '{{ toJson .vars.m }}'",
    '!template {"t": 1}',
    "!template [1, 2]",
    "!env FROM_CONFIG",
    "!env HOME",
    "!exec date",
    "!unset",
    "!tags",
    "two\nlines {{ .stack }}",
)
TEXTS = (
    *SOUND,
    "{{ .locals.l }}",
    "{{ .vars.none.deeper }}",
    "{{ .vars.stage.deeper }}",
    "{{ nope }}",
    "{{ .size }}",
    '{{ env "HOME" }}',
)


class Written:
    """Strategies for what stands in manifests, with texts from a pool."""

    def __init__(self, texts: tuple[str, ...]) -> None:
        self.scalars: st.SearchStrategy[Any] = st.one_of(st.sampled_from(texts), st.integers(0, 3), st.booleans(), st.none())
        values = st.recursive(
            self.scalars,
            lambda below: st.one_of(st.lists(below, max_size=2), st.dictionaries(st.sampled_from("kl"), below, max_size=2)),
            max_leaves=3,
        )
        maps = st.dictionaries(st.sampled_from("kl"), self.scalars, min_size=1, max_size=2)
        self.section = st.fixed_dictionaries({}, optional={"x": values, "m": maps, "l": st.lists(self.scalars, max_size=2)})
        outputs = {"list": st.lists(self.scalars, max_size=2), "map": self.section}
        self.outputs = st.fixed_dictionaries({"id": self.scalars}, optional=outputs)

    def component(self) -> st.SearchStrategy[dict[str, Any]]:
        settings = st.fixed_dictionaries({"s": self.scalars})
        static = self.outputs.map(lambda given: {"remote_state_backend_type": "static", "remote_state_backend": {"static": given}})
        return st.tuples(
            st.fixed_dictionaries({}, optional={"vars": self.section, "settings": settings, "metadata": METADATA}),
            st.one_of(static, st.just({})),
        ).map(lambda parts: {**parts[0], **parts[1]})

    def manifest(self, path: str) -> st.SearchStrategy[bytes]:
        imports, is_stack = {**CATALOG, **DEPLOY}[path], path in DEPLOY
        given = [
            st.sampled_from([name, {"path": name, "context": {"size": 5}}, {"path": name, "skip_if_missing": True}])
            for name in imports
        ]
        keys: dict[str, st.SearchStrategy[Any]] = {
            "locals": st.fixed_dictionaries(
                {"l": st.sampled_from(LOCALS if is_stack else LOCALS[:3]), "k": st.one_of(st.integers(), self.scalars)}
            ),
            "settings": st.fixed_dictionaries({"s": self.scalars}),
            "terraform": st.one_of(
                self.section.map(lambda section: {"vars": section}),
                self.section.map(lambda section: {"overrides": {"vars": section}}),
            ),
            "components": st.dictionaries(st.sampled_from(COMPONENTS), self.component(), min_size=1, max_size=3).map(
                lambda found: {"terraform": found}
            ),
        }
        if given:
            keys["import"] = st.lists(st.one_of(given), min_size=is_stack, max_size=2)
        stage = st.fixed_dictionaries({"stage": st.sampled_from(STAGES)}) if is_stack else st.just({})
        below = self.component()
        if path == "stacks/catalog/low.yaml":  # so that most of what is asked for is somewhere
            keys["components"] = st.fixed_dictionaries(dict.fromkeys(COMPONENTS, below)).map(lambda found: {"terraform": found})
        variables = st.tuples(self.section, stage).map(lambda parts: {**parts[0], **parts[1]})
        required = {"vars": variables} | ({"import": keys.pop("import")} if is_stack else {})
        return st.fixed_dictionaries(required, optional=keys).map(lambda written: json.dumps(written).encode())

    def files(self) -> st.SearchStrategy[dict[str, bytes]]:
        return st.fixed_dictionaries({path: self.manifest(path) for path in {**CATALOG, **DEPLOY}})

    def edits(self) -> st.SearchStrategy[list[tuple[str, bytes | None]]]:
        one = st.sampled_from([*CATALOG, *DEPLOY]).flatmap(
            lambda path: st.tuples(st.just(path), st.one_of(st.none(), self.manifest(path), self.manifest(path)))
        )
        return st.lists(one, min_size=1, max_size=4)


LOCALS = ("loc", 7, "{{ .locals.k }}", "{{ .vars.stage }}")
METADATA = st.sampled_from(
    [{"type": "abstract"}, {"inherits": ["a"]}, {"inherits": ["b"]}, {"enabled": False}, {"component": "p"}, {"tags": ["t"]}]
)
CATALOG = {
    "stacks/catalog/low.yaml": (),
    "stacks/catalog/mid.yaml": ("catalog/low",),
    "stacks/catalog/high.yaml": ("catalog/mid", "catalog/low"),
}
DEPLOY = {f"stacks/deploy/{name}.yaml": ("catalog/high", "catalog/mid", "catalog/low") for name in ("one", "two", "three")}


def tree(files: Mapping[str, bytes | None], config: int) -> MemoryTree:
    fixed = {"atmos.yaml": json.dumps(CONFIGS[config]).encode(), "schema.json": ANYTHING}
    return MemoryTree({**fixed, **{path: content for path, content in files.items() if content is not None}})


def leaves(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}")
    elif isinstance(value, list) and value:
        for number, item in enumerate(value):
            yield from leaves(item, f"{path}[{number}]")
    else:
        yield path


@pytest.fixture(scope="module")
def engine(template_engine: Engine) -> Engine:
    return template_engine


@given(Written(TEXTS).files(), Written(TEXTS).edits(), st.sampled_from(range(len(CONFIGS))), st.booleans())
def test_reading_on_equals_reading_everything(
    engine: Engine, files: dict[str, bytes], edits: list[tuple[str, bytes | None]], config: int, is_told: bool
) -> None:
    """For any sequence of edits of any estate, told or found out, the incremental result equals the full one."""
    now: dict[str, bytes | None] = dict(files)
    found = estate.resolve(tree(now, config), engine=engine)
    for path, content in edits:
        now[path] = content
        found = estate.resolve(tree(now, config), engine=engine, previous=found, changed=[path] if is_told else None)
        assert_equal(found, estate.resolve(tree(now, config), engine=engine))


@given(Written(TEXTS).files(), st.randoms(use_true_random=False), st.sampled_from(range(len(CONFIGS))))
def test_the_order_of_files_does_not_matter(engine: Engine, files: dict[str, bytes], chance: Any, config: int) -> None:
    """A tree that tells its files in another order resolves to the same."""
    shuffled = list(files.items())
    chance.shuffle(shuffled)
    assert_equal(estate.resolve(tree(files, config), engine=engine), estate.resolve(tree(dict(shuffled), config), engine=engine))


@given(Written(TEXTS).files(), st.sampled_from(range(len(CONFIGS))))
def test_every_leaf_has_provenance(engine: Engine, files: dict[str, bytes], config: int) -> None:
    """Whatever a section holds, something tells where it comes from; what files set has a file and a line."""
    found = estate.resolve(tree(files, config), engine=engine)
    for stack in found.stacks:
        for item in stack.instances:
            for section, value in item.sections.items():
                for path in leaves(value, section):
                    told = found.provenance(stack.name, item.type, item.name, path)
                    assert told, (stack.name, item.name, path)
                    if section == "vars":
                        assert told[0].location is not None, (stack.name, item.name, path)


@given(Written(SOUND).files(), st.sampled_from(range(len(CONFIGS))))
def test_lenient_reading_gives_what_strict_reading_gives(engine: Engine, files: dict[str, bytes], config: int) -> None:
    """Where Atmos would accept an estate, reading it leniently changes nothing."""
    try:
        strict = estate.resolve(tree(files, config), engine=engine, strict=True, processing=Processing(error_mode="strict"))
    except EstateError:
        return
    lenient = estate.resolve(tree(files, config), engine=engine)
    assert strict.stacks == lenient.stacks
    assert strict.dependencies == lenient.dependencies


def test_lenient_reading_loses_no_component(engine: Engine) -> None:
    """Whatever can't be evaluated, every component that could be built is there."""
    files = {
        "stacks/deploy/one.yaml": json.dumps(
            {
                "vars": {"stage": "dev"},
                "components": {
                    "terraform": {
                        name: {"vars": {"x": written, "y": 1}}
                        for name, written in zip("abcdefghijklmnopqrstuvwxyz", TEXTS, strict=False)
                    }
                },
            }
        ).encode()
    }
    found = estate.resolve(tree(files, 0), engine=engine)
    assert [item.name for item in found.stacks[0].instances] == sorted("abcdefghijklmnopqrstuvwxyz"[: len(TEXTS)])
    assert all(item.sections["vars"]["y"] == 1 for item in found.stacks[0].instances)
