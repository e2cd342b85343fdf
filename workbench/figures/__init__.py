"""Figures: a Dataset (or plain arrays) in, a HoloViews element out; one module a room, one look from ``theme``.

Figures compute nothing that has a meaning of its own. Every figure draws with the bokeh backend (pages) and with
matplotlib (notebooks under test, PNG, SVG), because all styling goes through :mod:`workbench.figures.theme`.
"""
