"""TensorFlow: its session, and ONNX graphs turned into its own."""
