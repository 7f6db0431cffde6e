"""The measurements must notice what they are there to notice."""
