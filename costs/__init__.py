"""A stage's cost in a month: a model of its own settings, its own program and a workload.

settings, program   components/declared_stage.py   what the stage declares
                 →  inventory.py   resources that are billed by existing, or shape the rest
    + workload   →  month.py       calls, bytes and events; calls.py: requests to AWS, stored.py: bytes in S3
    + prices     →  billing.py     quantities at their prices: a bill.py
                 →  model.py       this line as one object, for questions with other settings
                 →  strategies.py, always_on.py, targets.py, curve.py   the questions
                 →  report.py      the answers; command.py puts all in order
"""
