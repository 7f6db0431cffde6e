"""The local platform's converter, in place of MediaConvert."""
