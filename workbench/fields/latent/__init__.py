"""Flow matching in a latent space: what the encoder loses and what the flow adds, apart and together."""
