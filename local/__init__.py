"""The whole platform on one machine: the stand-in for AWS, the API, the hosted sign-in and the page."""
