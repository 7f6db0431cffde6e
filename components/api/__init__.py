"""API: the REST API and the document from which it is made."""
