"""The hosted sign-in of the local platform, over HTTP."""
