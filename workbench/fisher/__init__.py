"""The fisher room."""
