"""Inspection of uploaded files: container, streams and a poster, without trusting a byte."""
