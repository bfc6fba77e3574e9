"""The graph as a subgraph of Apollo Federation 2, as text and as a schema."""

from graphql import GraphQLUnionType, ObjectTypeDefinitionNode, build_schema, parse

from catalog.graph import federation, schema

PLAIN, FEDERATED = schema.graphql_schema(), federation.graphql_schema()
DIRECTIVES = """
scalar federation__FieldSet
scalar link__Import
directive @link(url: String!, import: [link__Import]) repeatable on SCHEMA
directive @key(fields: federation__FieldSet!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE
directive @shareable repeatable on OBJECT | FIELD_DEFINITION
"""


def types() -> dict:
    """The object types of the subgraph's text, by name."""
    return {one.name.value: one for one in parse(federation.sdl()).definitions if isinstance(one, ObjectTypeDefinitionNode)}


def directives(definition) -> list[str]:
    return [one.name.value for one in definition.directives or ()]


def test_everything_with_an_id_is_an_entity() -> None:
    """Each type that implements Node has its id as its key and is a member of _Entity; nothing else is."""
    nodes = {kind.name for kind in PLAIN.get_possible_types(PLAIN.type_map["Node"])}
    assert {name for name, one in types().items() if "key" in directives(one)} == nodes
    union = FEDERATED.type_map["_Entity"]
    assert isinstance(union, GraphQLUnionType)
    assert {kind.name for kind in union.types} == nodes


def test_what_speaks_of_this_graph_alone_stays_here() -> None:
    """A gateway composes no node, nodes or rateLimit, of which other subgraphs have their own; pages are shared."""
    composed = types()
    fields = {field.name.value for field in composed["Query"].fields}
    assert fields == set(PLAIN.query_type.fields) - {"node", "nodes", "rateLimit"}
    assert "RateLimit" not in composed
    assert [name for name, one in composed.items() if "shareable" in directives(one)] == ["PageInfo"]


def test_the_subgraph_is_a_schema() -> None:
    """With the directives of Federation the text is a whole schema: nothing that it names is missing."""
    text = (
        federation.sdl()
        .replace("extend schema @link", "schema @link", 1)
        .replace('@shareable"])', '@shareable"]) { query: Query }', 1)
    )
    made = build_schema(DIRECTIVES + text)
    assert made.query_type is not None
    assert set(PLAIN.type_map) - {"RateLimit"} <= set(made.type_map)


def test_only_a_process_that_says_so_answers_gateways() -> None:
    """The schema as it is exported has nothing of a gateway's."""
    assert not {"_service", "_entities"} & set(PLAIN.query_type.fields)
    assert set(FEDERATED.query_type.fields) - set(PLAIN.query_type.fields) == {"_service", "_entities"}
    assert set(FEDERATED.type_map) - set(PLAIN.type_map) == {"_Any", "_Entity", "_Service"}
