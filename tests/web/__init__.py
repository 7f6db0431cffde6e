"""The page in a browser: users' walkthroughs, and failures of the connection or the platform."""
