"""Inspection of uploaded files: container, streams and a picture, found without trusting a byte."""
