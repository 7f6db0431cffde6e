"""Parts of the Lambda functions: routes over core, adapters to AWS, one wiring."""
