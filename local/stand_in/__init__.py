"""The stand-in for AWS: moto, behind an object store of our own that refuses what S3 refuses."""
