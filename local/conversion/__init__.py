"""Converter of one machine, in place of MediaConvert."""
