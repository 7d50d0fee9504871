"""Rows -> tables. No torch, no printing, no look-ups by name."""
