"""Labelled images, read from files without torch and checked; never downloaded."""
