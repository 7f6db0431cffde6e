"""AWS's own API models, as botocore ships them: which values a request may hold."""
