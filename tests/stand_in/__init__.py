"""Tests of the stand-in for AWS, through its port."""
