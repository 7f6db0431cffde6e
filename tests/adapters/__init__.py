"""What speaks to AWS, where the end-to-end tests do not reach."""
