"""The only rounding: what a person reads of a raw number, at the edges of each unit."""

import pytest

from resnet_cli.render.tables.numbers import binary, cell, count
from resnet_cli.tables import ByteCount, Column


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (9_999, "9,999"),
        (10_000, "10.00K"),
        (25_557_032, "25.56M"),
        (999_949, "999.9K"),
        (999_950, "1.000M"),  # and not 1000.0K
        (999_949_999, "999.9M"),
        (999_950_000, "1.000G"),
        (-999_950, "-1.000M"),
        (999_950_000_000_000_000_000, "1.000Z"),
        (10**25, "10,000Z"),  # there is no larger unit
    ],
)
def test_counts_have_four_digits_of_the_unit_that_fits(value, text):
    """Below 10,000 every digit; a number that would round to a thousand has the next unit."""
    assert count(value, exact=False) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.000 KiB"),
        (10_436_608, "9.953 MiB"),  # 10,436,608 / 1024² = 9.95312…
        (1023 * 1024 + 511, "1,023 KiB"),
        (1023 * 1024 + 512, "1.000 MiB"),  # and not 1,024 KiB
        (1023 * 1024**2 + 511 * 1024, "1,023 MiB"),
        (1023 * 1024**2 + 512 * 1024, "1.000 GiB"),
        (1024**7, "1,024 EiB"),
        (-1023, "-1023 B"),
        (-10_436_608, "-9.953 MiB"),
        (-(1023 * 1024 + 512), "-1.000 MiB"),
    ],
)
def test_bytes_have_four_digits_of_the_unit_that_fits(value, text):
    """Powers of 1024; 1,023.5 of a unit would round to 1,024 and are 1.000 of the next."""
    assert binary(value, exact=False) == text


def test_exact_is_every_digit():
    """No unit takes a digit away."""
    assert count(999_950, exact=True) == "999,950"
    assert binary(1_048_064, exact=True) == "1,048,064"


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("+count", 13_867_520, "+13.87M"), ("+count", -1_792, "−1,792"), ("+count", 0, "0"),
        ("+bytes", -7_168, "−7.000 KiB"), ("+percent", -3.51, "−3.51%"), ("percent", 22.9, "22.9%"),
        ("times", 69_632 / 1_179_648, "0.059"), ("times", 1, "1"), ("times", 999.4, "999"),
        ("times", 190_174.4, "190,174"), ("+amount", ByteCount(-1_536), "−1.500 KiB"),
        ("mixed", (7, 512), "7×512"), ("+count", None, ""),
    ],
)  # fmt: skip
def test_changes_and_ratios(kind, value, text):
    """A change has its sign, a ratio three digits and no exponent where it is large."""
    assert cell(Column("key", "title", kind), value, exact=False) == text
