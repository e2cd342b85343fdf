"""From a game and a region to a certificate: bounds, boxes, leaf by leaf, basins."""
