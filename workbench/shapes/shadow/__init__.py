"""Graphs from samples."""
