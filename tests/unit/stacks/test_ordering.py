"""Levels and rings of a graph, against Python's own sorter and a graph library."""

from __future__ import annotations

import graphlib

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from catalog.stacks import ordering

things = st.integers(0, 11)
graphs = st.dictionaries(things, st.lists(things, max_size=5), max_size=12)


def known(needs):
    """The graph without what isn't in it."""
    graph = nx.DiGraph()
    graph.add_nodes_from(needs)
    graph.add_edges_from((thing, other) for thing, needed in needs.items() for other in needed if other in needs)
    return graph


def sorted_levels(graph):
    """The levels of Python's own sorter, as far as rings let it go."""
    sorter = graphlib.TopologicalSorter({thing: set(graph.successors(thing)) for thing in graph})
    try:
        sorter.prepare()
    except graphlib.CycleError:
        assert not nx.is_directed_acyclic_graph(graph)
    levels = []
    while ready := sorter.get_ready():
        levels.append(set(ready))
        sorter.done(*ready)
    return levels


@given(graphs)
def test_levels_are_those_of_pythons_own_sorter(needs):
    """A level holds all that needs only what is in earlier ones; what no order has is in none."""
    graph = known(needs)
    found = ordering.levels(needs)
    assert [set(level) for level in found] == sorted_levels(graph)
    assert all(list(level) == [thing for thing in needs if thing in level] for level in found)


@given(graphs)
def test_every_knot_is_told_by_one_of_its_shortest_rings(needs):
    """Through its first thing; each thing of a ring needs the next, the last the first."""
    graph = known(needs)
    knots = [
        knot for knot in nx.strongly_connected_components(graph) if len(knot) > 1 or any(graph.has_edge(one, one) for one in knot)
    ]
    assert set(ordering.knots(needs)) == {frozenset(knot) for knot in knots}
    found = ordering.rings(needs)
    assert len(found) == len(knots)
    places = list(needs)
    assert [places.index(ring[0]) for ring in found] == sorted(places.index(ring[0]) for ring in found)
    for ring in found:
        knot = next(knot for knot in knots if set(ring) <= knot)
        assert ring[0] == min(knot, key=places.index)
        assert all(graph.has_edge(one, other) for one, other in zip(ring, [*ring[1:], ring[0]], strict=True))
        assert len(set(ring)) == len(ring) == shortest(graph, ring[0])


def shortest(graph, thing):
    """How many steps the shortest way from a thing back to itself has."""
    ways = nx.single_source_shortest_path_length(graph.reverse(), thing)
    return min(1 + ways[other] for other in graph.successors(thing) if other in ways)


def test_long_chains_and_rings_need_no_stack():
    """Ten thousand things, one needing the next."""
    chain = {number: [number + 1] for number in range(10_000)}
    assert len(ordering.levels(chain)) == 10_000
    assert ordering.rings(chain) == ()
    assert len(ordering.rings({**chain, 9_999: [0]})[0]) == 10_000


def test_nothing_has_no_levels_and_no_rings():
    """The empty graph."""
    assert ordering.levels({}) == ordering.rings({}) == ()
