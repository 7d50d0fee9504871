"""A drawing's columns as nodes and edges, for the languages that place them by themselves."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from resnet_cli.drawings import Box, DrawnNetwork


class Node(NamedTuple):
    id: str
    box: Box


class Edge(NamedTuple):
    """From one node's id to another's; ``kind`` is that of the shortcut, or "" in the chain."""

    source: str
    target: str
    kind: str = ""


class Group(NamedTuple):
    """The nodes of one unit, those on its arcs included."""

    id: str
    nodes: list[Node]
    times: int


def graph(column: DrawnNetwork, number: int, layered: bool) -> tuple[list[Group], list[Edge]]:
    """The units and the edges of a column.

    A shortcut goes from the box before it to the one that takes the sum; where it is ``layered``,
    through the boxes of its layers. Skips are there with a lane or without.
    """
    ids = [
        f"n{number}_{unit}_{index}"
        for unit, each in enumerate(column.units)
        for index in range(len(each.boxes))
    ]
    follows = [box.follows for box in column.boxes]
    edges = [Edge(*pair) for pair, wire in zip(pairwise(ids), follows[1:], strict=True) if wire]
    edges += [
        Edge(ids[skip.source], ids[target], _named(skip.kind))
        for skip in column.skips
        for target in skip.targets
    ]
    groups: list[Group] = []
    first = 0
    for at, unit in enumerate(column.units):
        nodes = [Node(f"n{number}_{at}_{index}", box) for index, box in enumerate(unit.boxes)]
        for rank, arc in enumerate(unit.arcs):
            boxes = arc.boxes if layered else ()
            on = [Node(f"n{number}_{at}_s{rank}_{index}", box) for index, box in enumerate(boxes)]
            nodes += on
            end = min(first + arc.end, len(ids) - 1)
            stops = [ids[first + arc.start - 1], *(node.id for node in on), ids[end]]
            edges += [Edge(*pair, _named(arc.kind)) for pair in pairwise(stops)]
        groups.append(Group(f"u{number}_{at}", nodes, unit.times))
        first += len(unit.boxes)
    return groups, edges


def _named(kind: str) -> str:
    """The kind of a shortcut; a skip is an edge like any other."""
    return "" if kind == "skip" else kind
