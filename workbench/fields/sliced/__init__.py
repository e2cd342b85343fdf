"""A generator trained with sliced Wasserstein losses: what the choice of the estimator is worth there."""
