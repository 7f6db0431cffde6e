"""Storage: the buckets and what each of them refuses."""
