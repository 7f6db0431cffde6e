"""The operators' commands without a stage: their arguments, questions and exit codes."""
