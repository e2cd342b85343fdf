"""A learned surrogate of the recourse: the paper's network, trained here and embedded in programmes for HiGHS."""
