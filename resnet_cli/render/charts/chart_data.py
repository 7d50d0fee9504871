"""Chart -> Answer: its raw numbers, for JSON and in the formats of tables."""

from __future__ import annotations

from typing import Any

from resnet_cli.charts import Axis, Chart, Point
from resnet_cli.tables import Answer, Column, Table


def as_answer(chart: Chart, whole: bool) -> Answer:
    """The ``whole`` chart as JSON's envelope alone, or else its points as rows of a table."""
    series = [
        {"name": each.name, "kind": each.kind, "points": [_point(p) for p in each.points]}
        for each in chart.series
    ]
    envelope: dict[str, Any] = {
        "command": "plot",
        "kind": chart.kind,
        "title": chart.title,
        "x": _axis(chart.x),
        "y": _axis(chart.y),
        "series": series,
        "bands": [band._asdict() for band in chart.bands],
        "levels": [{"name": name, "value": value} for name, value in chart.levels],
    }
    return Answer(envelope, [] if whole else [_table(chart)], chart.notes)


def _axis(axis: Axis) -> dict[str, Any]:
    fields = {"label": axis.label, "unit": axis.unit, "log": axis.log}
    return fields | ({"categories": list(axis.categories)} if axis.categories else {})


def _point(point: Point) -> dict[str, Any]:
    """What it has: x and y always."""
    return {key: value for key, value in point._asdict().items() if value not in (None, "")}


def _table(chart: Chart) -> Table:
    """One row for each point."""
    points = [(series, point) for series in chart.series for point in series.points]
    keys = ["x", "y"]
    if any(point.low is not None for _, point in points):
        keys += ["low", "high"]
    texts = ("network", "series", "label")
    columns = [*(Column(k, k) for k in texts), *(Column(k, k) for k in keys)]
    rows = [
        (
            series.network or point.label,
            series.name,
            point.label,
            *(getattr(point, key) for key in keys),
        )
        for series, point in points
    ]
    return Table("rows", chart.title, columns, rows)
