"""Trainings without torch: what decides a run, and processes that train."""
