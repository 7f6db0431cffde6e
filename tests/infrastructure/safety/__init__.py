"""Invariants of every stage: plain functions from a recorded program to its violations."""
