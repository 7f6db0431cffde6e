"""Storage: the buckets and their policies."""
