"""A stage's cost in a month: a model of its own settings, its own program and a workload.

settings, program   components/declared_stage.py   the stage's declarations
                 →  inventory.py   resources that are billed by existing, or shape the rest
    + workload   →  month.py       calls, bytes and events; calls.toml: requests to AWS
    + prices     →  model.py       quantities at their prices: a bill, under the stage's settings or others
                 →  strategies.py, always_on.py, targets.py, curve.py   the questions
                 →  report.py      the answers, in order; __main__.py prints them
"""
