"""Downscaling of rain by diffusion: what a regulariser that matches distributions does, exactly and trained."""
