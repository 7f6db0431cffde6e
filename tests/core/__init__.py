"""The domain against fakes: decisions, races, arithmetic."""
