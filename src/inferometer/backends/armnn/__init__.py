"""Arm NN: its session, its export, and its runtime in a process of its own."""
