"""Paths through a residual network: beside an enumeration of every one, and what is published."""

import csv
import io
import json
from collections import Counter
from itertools import pairwise
from math import comb

import pytest
from listed import ZOO
from program import run

from resnet_cli.analyses.cost.counts import is_counted
from resnet_cli.analyses.field.paths import histogram, lengths, most_paths, scientific
from resnet_cli.errors import UserError
from resnet_cli.layers.base import Layer
from resnet_cli.layers.tree import Residual
from resnet_cli.models import load


def rows_of(name, **changes):
    return load(name).changed(**changes).rows


def every_path(rows):
    """Each path on its own as (blocks, layers, pixels seen), along the rows that it runs through."""
    found = {-1: [(0, 0, 1, 1)]}  # blocks, layers, stride, pixels
    for index, row in enumerate(rows):
        kernel = getattr(row.layer, "kernel", 1)
        stride = getattr(row.layer, "stride", kernel)  # an average pool's is its kernel
        if row.stage == "fc":
            kernel = stride = 1  # before the global pooling
        if row.layer.operator == "addition":
            side, body = row.reads
            found[index] = found[side] + [(b + 1, *rest) for b, *rest in found[body]]
        else:
            found[index] = [
                (b, n + is_counted(row), j * stride, seen + (kernel - 1) * j)
                for b, n, j, seen in found[row.reads[0]]
            ]
    return [(b, n, seen) for b, n, _, seen in found[len(rows) - 1]]


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("resnet18", {}), ("resnet18-d", {}), ("se-resnet18", {}), ("preact-resnet18", {}),
        ("resnet20", {}), ("resnet20", {"shortcut": "B"}), ("wrn-16-8", {}), ("plain18", {}),
        ("resnet50", {"stages": (2, 3, 2, 1)}), ("resnet50-v1.5", {"stages": (1, 2, 3, 3)}),
        ("resnet50-d", {"stages": (2, 2, 2, 2)}), ("se-resnext50_32x4d", {"stages": (2, 2, 2, 2)}),
        ("preact-resnet50", {"stages": (2, 2, 2, 2)}), ("resnet18", {"shortcut": "C"}), ("vgg11", {}),
    ],
)  # fmt: skip
def test_counting_equals_enumerating(name, changes):
    """Paths, layers and the least and most pixels seen, for each number of blocks passed through."""
    rows = rows_of(name, **changes)
    paths = every_path(rows)
    seen = {}
    for blocks, layers, pixels in paths:
        seen.setdefault((blocks, layers), []).append(pixels)
    assert [(d.blocks, d.layers, d.paths, d.least, d.most) for d in lengths(rows)] == [
        (*key, len(pixels), min(pixels), max(pixels)) for key, pixels in sorted(seen.items())
    ]


@ZOO
def test_paths_are_two_to_the_blocks(spec):
    """The paths of all lengths are 2ⁿ for the tree's n residual blocks; the longest is the depth."""

    def blocks(node):
        if isinstance(node, Layer):
            return 0
        own = isinstance(node, Residual) and node.merge.join
        parts = getattr(node, "parts", ()) or getattr(node, "body", ())
        return own + sum(map(blocks, parts))

    rows = rows_of(spec)
    found = lengths(rows)
    n = blocks(spec.net())
    assert len(found) == n + 1
    assert [d.paths for d in found] == [comb(n, k) for k in range(n + 1)]
    assert found[-1].layers == sum(map(is_counted, rows))


def test_110_layers_are_mostly_19_to_35_blocks():
    """Veit et al. 2016, Sec. 4: of 54 blocks over 95% of paths take 19 to 35; 0.45% take 5 to 17."""
    found = lengths(rows_of("resnet110"))
    assert sum(d.paths for d in found[19:36]) / 2**54 > 0.95
    assert round(100 * sum(d.paths for d in found[5:18]) / 2**54, 2) == 0.45
    assert most_paths(found) == (20, 34)


@ZOO
def test_the_middle_range_is_the_narrowest(spec):
    """It holds 95% of the paths, and one block less at each end would not."""
    found = lengths(rows_of(spec))
    first, last = most_paths(found)
    total = 2 ** (len(found) - 1)
    held = sum(d.paths for d in found[first : last + 1])
    assert 100 * held >= 95 * total
    if last - first > 1:
        assert 100 * (held - found[first].paths - found[last].paths) < 95 * total


@pytest.mark.parametrize("n", [3, 30, 31, 54, 64, 65, 333, 600, 1999, 2000])
def test_a_histogram_holds_every_path_once(n):
    """Its rows are few, follow one another from 0 to n and add up, with deep networks' tails apart."""
    found = lengths(rows_of("resnet20", stages=(1, 1, n - 2)))
    table = histogram(found)
    assert len(table.rows) <= 35
    ends = [[int(end) for end in row[0].split("–")] for row in table.rows]
    assert ends[0][0] == 0 and ends[-1][-1] == n
    assert all(a[-1] + 1 == b[0] for a, b in pairwise(ends))
    assert abs(sum(row[4] for row in table.rows) - 1) < 1e-9
    if n <= 64:
        assert sum(row[2] for row in table.rows) == 2**n


def test_1202_layers_have_two_to_the_600_paths():
    """JSON has all 601 lengths as integers, to the last digit; the screen has 30 rows or so."""
    answer = json.loads(run("paths", "resnet1202", "--json")[0])
    assert sum(row["paths"] for row in answer["rows"]) == answer["total"]["paths"] == 2**600
    assert [row["paths"] for row in answer["rows"]] == [comb(600, k) for k in range(601)]
    out, _ = run("paths", "resnet1202")
    assert "2^600 = 4.149e+180" in out
    assert len(out.splitlines()) < 40


def test_a_plain_network_has_one_path():
    """Without shortcuts all goes through every layer."""
    answer = json.loads(run("paths", "vgg16", "--json")[0])
    assert answer["rows"] == [{"blocks": 0, "layers": 16, "paths": 1, "least": 212, "most": 212}]
    assert "one path" in answer["notes"][0]


@pytest.mark.parametrize("format", ["table", "plain", "csv", "markdown", "latex"])
def test_every_format_of_paths(format):
    """Each format has the 12,870 paths through 8 of 16 blocks, shortened or not, and the source."""
    notes = ("--notes",) * (format == "csv")
    out, _ = run("paths", "resnet50", "-f", format, "--exact", *notes)
    assert "12870" in out or "12,870" in out
    assert "Veit et al. 2016" in out


def test_csv_has_a_row_a_length():
    """Raw integers where they fit, with the lengths beside them."""
    rows = list(csv.DictReader(io.StringIO(run("paths", "resnet18", "-f", "csv")[0])))
    assert Counter({row["layers"]: int(row["paths"]) for row in rows}) == {
        str(2 + 2 * k): comb(8, k) for k in range(9)
    }


def test_more_blocks_than_can_be_shown_are_refused():
    """2^4500 has over a thousand digits: an error instead."""
    with pytest.raises(UserError, match="residual blocks 4500"):
        lengths(rows_of("resnet20", stages=(1500, 1500, 1500)))
    assert "out of range" in run("paths", "--depth", "39998", code=2)[1]


@pytest.mark.parametrize(
    ("number", "text"), [(2**600, "4.149e+180"), (10**400, "1.000e+400"), (19_999, "1.999e+4")]
)
def test_large_numbers_are_cut_to_four_digits(number, text):
    """Also those that are no float."""
    assert scientific(number) == text
