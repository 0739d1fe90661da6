"""Benchmarks: ours and the peer side by side, in interleaved repeats."""
