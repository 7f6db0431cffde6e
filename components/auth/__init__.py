"""Auth: the user pool, its app clients and the role of operators."""
