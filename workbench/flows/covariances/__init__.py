"""Covariances: batches of symmetric positive matrices, their means, and layers that normalise them."""
