"""What a stage costs in a month: a model of its own settings, its own program and a workload."""
