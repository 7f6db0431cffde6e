"""Conversion tier."""
