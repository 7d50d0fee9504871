"""A drawing in DOT, Graphviz's language."""

from __future__ import annotations

from collections.abc import Iterator

from resnet_cli.drawings import Drawing
from resnet_cli.render.drawings.graph import Node, graph
from resnet_cli.render.drawings.look import is_tinted
from resnet_cli.render.drawings.svg import title
from resnet_cli.render.themes import SANS, SERIF, THEMES, Theme

FONTS = {SANS: "Helvetica", SERIF: "Times"}
STYLES = {"projection": "dotted", "zero padding": "dotted", "dropout": "dashed", "scale": "dashed"}


def dot(drawing: Drawing, theme: str = "light") -> str:
    """The text of a directed graph: a cluster a network, and one for each unit that repeats."""
    return "\n".join(_lines(drawing, THEMES[theme])) + "\n"


def _lines(drawing: Drawing, theme: Theme) -> Iterator[str]:
    ranks = drawing.ranks
    yield "digraph diagram {"
    yield f"  rankdir={'TB' if drawing.direction == 'down' else 'LR'}; newrank=true;"
    font = f'fontname="{FONTS[theme.font]}", fontcolor="{theme.text}"'
    yield f'  graph [{font}, color="{theme.faint}", bgcolor="{theme.background}"];'
    yield f'  node [shape=box, style="filled,rounded", {font}, fontsize=11];'
    yield f'  edge [color="{theme.wire}"];'
    for number, column in enumerate(drawing.columns):
        groups, edges = graph(column, number, drawing.level == "layer")
        yield f"  subgraph cluster_{number} {{"
        yield f"    label={quoted(column.name)};"
        for group in groups:
            if group.times > 1:
                yield f"    subgraph cluster_{group.id} {{ label={quoted(f'×{group.times}')};"
            yield from (
                f"    {_node(node, ranks[node.box.size, node.box.stage], theme)}"
                for node in group.nodes
            )
            if group.times > 1:
                yield "    }"
        yield "  }"
        for edge in edges:
            beside = f", style={STYLES[edge.kind]}" if edge.kind in STYLES else ""
            kind = f" [tooltip={quoted(edge.kind)}{beside}]" if edge.kind else ""
            yield f"  {edge.source} -> {edge.target}{kind};"
    yield "}"


def _node(node: Node, rank: int, theme: Theme) -> str:
    fill, border = theme.rows[rank % len(theme.rows)]
    fill = fill if is_tinted(node.box) else theme.background
    text = "\\n".join(quoted(line)[1:-1] for line in node.box.lines)
    return (
        f'{node.id} [label="{text}", tooltip={quoted(title(node.box))}, '
        f'fillcolor="{fill}", color="{border}"];'
    )


def quoted(text: str) -> str:
    """As a DOT string: neither quotes nor backslashes nor entities of its own."""
    safe = text.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
    return '"' + safe.replace("\n", "\\n") + '"'
