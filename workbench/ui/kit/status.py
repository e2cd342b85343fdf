"""The foot of a sidebar: run, cancel, what it will cost, how far it is and how long it still takes."""

import html
from typing import Any

import panel as pn
import panel_material_ui as pmui

from workbench.costs import duration

TEXT = "p { margin: 4px 10px; font-size: 13px; min-height: 1.4em; }"


BAR = "progress { width: calc(100% - 20px); margin: 2px 10px; height: 8px; accent-color: #0072B2; }"


class Status(pn.viewable.Viewer):
    """Run and cancel buttons with progress for one view."""

    def __init__(self, view: Any) -> None:
        super().__init__()
        runner = view.runner
        run = pmui.Button(label="Run", variant="contained", size="small", margin=(4, 10))
        run.on_click(lambda _: view.run())
        run.visible = pn.bind(lambda lasting: not lasting, runner.param.lasting)
        cancel = pmui.Button(label="Cancel", variant="outlined", size="small", margin=(4, 10))
        cancel.on_click(lambda _: view.cancel())
        cancel.visible = runner.param.lasting
        bar = pn.pane.HTML(
            pn.bind(_bar, runner.param.fraction),
            visible=runner.param.lasting,
            stylesheets=[BAR],
            sizing_mode="stretch_width",
        )
        inputs = [view.param[name] for name in view.inputs]
        announced = pn.bind(lambda *_: _announcement(view), runner.param.lasting, view.param.result, *inputs)
        state = pn.bind(
            lambda lasting, text, left, message, ahead: _state(message, left, ahead) if lasting else text,
            runner.param.lasting,
            announced,
            runner.param.seconds_left,
            runner.param.message,
            runner.param.ahead,
        )
        note = pn.pane.HTML(state, stylesheets=[TEXT], sizing_mode="stretch_width")
        self._layout = pn.Column(pn.Row(run, cancel), bar, note, sizing_mode="stretch_width")

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout


def _bar(fraction: float) -> str:
    return f'<progress max="1" value="{fraction:.3f}" aria-label="Progress of the run">{fraction:.0%}</progress>'


def _announcement(view: Any) -> str:
    """Tell what pressing Run costs; nothing for quick work, which has run already."""
    try:
        cost = view.cost(view.values())
    except (ValueError, TypeError):
        return "<p></p>"
    return "<p></p>" if cost.is_quick else f"<p>This run: {html.escape(str(cost))}.</p>"


def _state(message: str, seconds_left: float | None, ahead: int) -> str:
    if ahead:
        return f"<p>Waiting: {ahead} long {'run' if ahead == 1 else 'runs'} of other visitors first.</p>"
    left = "" if seconds_left is None else f" · {duration(seconds_left)} left"
    return f"<p>{html.escape(message or 'computing')}{left}</p>"
