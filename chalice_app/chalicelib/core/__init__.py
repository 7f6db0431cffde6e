"""The domain: arithmetic and decisions of an upload. Knows neither Chalice nor AWS."""
