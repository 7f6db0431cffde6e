"""What the Lambda functions are made of: routes over core, adapters to AWS, one wiring."""
