"""The steps room."""
