"""Model architectures in plain PyTorch; importing one needs PyTorch."""
