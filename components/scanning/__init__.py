"""Scanning tier."""
