"""One module per AWS service: each fulfils a port of the core and nothing else."""
