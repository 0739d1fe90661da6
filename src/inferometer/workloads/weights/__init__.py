"""Published weights: read by their names, without running any code that a file holds."""
