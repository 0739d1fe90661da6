"""OpenVINO: its session, and what its graphs need changed."""
