"""Small-gain theory on bounds: the best metric weights, what they prove, bands, and safe steps."""
