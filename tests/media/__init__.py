"""What an uploaded file is, and what becomes of one that lies about it."""
