"""Inspection of uploaded files, including files that lie about their content."""
