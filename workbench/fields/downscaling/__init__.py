"""Downscaling of rain by diffusion: what a distribution-matching regulariser does to the spread, exactly and trained."""
