"""Formula and source of a method, under the widget that chooses it: what the registry says, set as mathematics.

A formula is drawn here, on the server, by matplotlib's mathtext and sent as the outlines of its glyphs: KaTeX and
MathJax would have the browser fetch fonts, and neither page nor notebook may send a request. It takes the colour of
the text around it, and carries its LaTeX as the name that a screen reader reads.
"""

import functools
import html
from collections.abc import Mapping, Sequence
from typing import Any

import panel as pn
import param

from workbench.registry import Entry, is_latex

SIZE = 13.0
"""Points, that of the text beside it."""
MARGIN = 1.0
NOTE = """
div { margin: 0 12px 6px; font-size: 12px; line-height: 1.45; opacity: 0.85; overflow-wrap: anywhere; }
svg { vertical-align: middle; fill: currentColor; max-width: 100%; height: auto; margin: 3px 0; }
"""
_LETTERS = {1: "M", 2: "L", 3: "Q", 4: "C", 79: "Z"}  # matplotlib's codes of a path, as SVG spells them


@functools.lru_cache(maxsize=512)
def formula_html(formula: str) -> str:
    """Return a formula as HTML: LaTeX as a drawing, other text as it stands, escaped.

    Raises ``ValueError`` for LaTeX beyond mathtext, with the place where it stops.
    """
    if not is_latex(formula):
        return html.escape(formula)
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    path = TextPath((0, 0), f"${formula}$", size=SIZE, prop=FontProperties(math_fontfamily="dejavusans"))
    box = path.get_extents()
    drawn = " ".join(
        _LETTERS[int(code)]
        + " ".join(f"{x:.1f} {-y:.1f}" for x, y in zip(points[::2], points[1::2], strict=True) if code != 79)
        for points, code in path.iter_segments(simplify=False)
    )
    left, top = box.x0 - MARGIN, -box.y1 - MARGIN
    width, height = box.width + 2 * MARGIN, box.height + 2 * MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{html.escape(formula)}" '
        f'width="{width:.0f}" height="{height:.0f}" viewBox="{left:.1f} {top:.1f} {width:.1f} {height:.1f}">'
        f'<path d="{drawn}"/></svg>'
    )


def entry_html(entry: Entry, *, label: bool = False) -> str:
    """Return formula, cost and reference of a method as one small block; ``""`` if the registry says none of them."""
    parts = [formula_html(entry.formula) if entry.formula else ""]
    parts += [html.escape(text) for text in (entry.cost, entry.reference)]
    told = "<br>".join(part for part in parts if part)
    if label and told:
        told = f"<b>{html.escape(entry.label)}</b><br>{told}"
    return f"<div>{told}</div>" if told else ""


def notes(registry: Mapping[str, Entry]) -> pn.pane.HTML:
    """Return what the registry says of all its methods, for a family that is shown whole."""
    told = "".join(entry_html(entry, label=True) for entry in registry.values())
    return pn.pane.HTML(told, stylesheets=[NOTE], margin=0, sizing_mode="stretch_width")


def method_note(parameter: param.Parameter, registry: Mapping[str, Entry]) -> pn.pane.HTML:
    """Return what the registry says of the method (or methods) that ``parameter`` stands at, following it."""

    def told(value: Any) -> str:
        several = isinstance(value, Sequence) and not isinstance(value, str)
        names = value if several else [value]
        return "".join(entry_html(registry[name], label=several) for name in names if name in registry)

    return pn.pane.HTML(pn.bind(told, parameter), stylesheets=[NOTE], margin=0, sizing_mode="stretch_width")
