"""Saddle searches: how far a local model of an energy surface may be trusted.

A surrogate with derivative observations, a trust radius, pruning by farthest points, mode following on the surrogate,
the dimer as rival, an index check after every search, and all stationary points of plane surfaces with a proof.
Reference: R. Goswami, H. Jónsson, arXiv 2510.06030 (read: abstract, run tables and public code).
"""
