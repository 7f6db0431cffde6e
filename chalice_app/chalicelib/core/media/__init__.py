"""What an uploaded file really is: its container, its streams and a picture of it, found without trusting a byte."""
