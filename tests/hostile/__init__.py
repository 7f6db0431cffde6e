"""Generated requests that no honest client sends."""
