"""TensorFlow Lite (LiteRT): its session, its export, and what its files hold."""
