"""The library's index, derived from the records and read in their place."""
