"""Analyse residual networks: layers, parameters and FLOPs, beside what the papers print."""

__version__ = "0.1.0"
