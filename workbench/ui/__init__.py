"""Pages: ``kit`` is what every page shares, ``server`` starts them, and each room has a folder of its own.

Start reading at :mod:`workbench.ui.kit`, whose docstring shows a whole page in twenty lines.
"""
