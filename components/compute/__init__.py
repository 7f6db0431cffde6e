"""Compute: the functions, what they may do, what they are told and how they are packed."""
