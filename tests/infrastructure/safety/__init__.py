"""What must hold for every stage, as plain functions from a recorded program to its violations."""
