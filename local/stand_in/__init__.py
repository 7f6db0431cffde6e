"""The stand-in for AWS: moto, and an object store that refuses what S3 refuses."""
