"""The index of the library: derived from the records, and read instead of them."""
