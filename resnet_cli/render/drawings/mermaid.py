"""A drawing in Mermaid, which GitHub and many editors draw within Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from resnet_cli.drawings import Drawing
from resnet_cli.render.drawings.graph import Node, graph

PLAIN = frozenset(" ,./+-_=×")
DOTTED = ("projection", "zero padding")


def mermaid(drawing: Drawing) -> str:
    """The text of a flowchart: a subgraph for each network, and for each unit that repeats."""
    return "\n".join(_lines(drawing)) + "\n"


def _lines(drawing: Drawing) -> Iterator[str]:
    way = "TB" if drawing.direction == "down" else "LR"
    yield f"flowchart {way}"
    for number, column in enumerate(drawing.columns):
        groups, edges = graph(column, number, drawing.level == "layer")
        yield f'  subgraph c{number}["{quoted(column.name)}"]'
        yield f"    direction {way}"
        for group in groups:
            if group.times > 1:
                yield f'    subgraph {group.id}["{quoted(f"×{group.times}")}"]'
            yield from (f"    {_node(node)}" for node in group.nodes)
            if group.times > 1:
                yield "    end"
        yield "  end"
        for edge in edges:
            line = "-.->" if edge.kind in DOTTED else "-->"
            label = f"|{edge.kind}|" if edge.kind else ""
            yield f"  {edge.source} {line}{label} {edge.target}"


def _node(node: Node) -> str:
    text = "<br/>".join(map(quoted, node.box.lines))
    ends = ('(["', '"])') if node.box.kind == "input" else ('["', '"]')
    return f"{node.id}{ends[0]}{text}{ends[1]}"


def quoted(text: str) -> str:
    """Within double quotes: every other sign as Mermaid's #code;."""
    return "".join(
        sign if (sign.isascii() and sign.isalnum()) or sign in PLAIN else f"#{ord(sign)};"
        for sign in text
    )
