"""Views that begin with the same choice in several rooms: what to look at, by name, by text or by file.

A room whose views share a choice of its own keeps it in ``ui/<room>/choices.py``.
"""
