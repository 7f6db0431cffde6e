"""Through the front door: the real platform on loopback, real clients, real videos."""
