"""PyTorch: its session, and the files that it reads."""
