"""One question of a room: its parameters, the computation behind it, and the pictures that answer it.

A room subclasses :class:`View` once for each tab. The base does what every tab needs: it computes in a worker thread,
keeps only the newest request, caches, shows progress with a cancel button, announces the cost of long runs, and turns
errors into a message while everything on the page stays.
"""

import contextlib
import html
import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import panel as pn
import param
import xarray as xr

from workbench import results
from workbench.costs import Cost
from workbench.progress import Progress
from workbench.registry import Registry
from workbench.ui.kit.cache import RESULTS, ResultCache
from workbench.ui.kit.controls import widget_for
from workbench.ui.kit.dispatch import Home, in_loaded_session, in_session, one_change
from workbench.ui.kit.downloads import Downloads
from workbench.ui.kit.message import message
from workbench.ui.kit.picture import Picture, Showable
from workbench.ui.kit.runner import Runner
from workbench.ui.kit.status import Status

HELP = "code { color: inherit !important; }"  # the theme's pale blue is hard to read on white
SENTENCE = """
p { margin: 4px; padding: 10px 14px; border-left: 4px solid #0072B2; background: rgba(0, 114, 178, 0.08);
    font-size: 15px; line-height: 1.45; }
"""


class View(pn.viewable.Viewer):
    """A tab of a room. Subclasses set the class attributes and write ``compute``, ``pictures`` and ``sentence``.

    A subclass must not touch widgets or panes in ``compute``: it runs in another thread, gets a frozen copy of the
    inputs, reports through ``progress.update`` and may hand over intermediate results with ``progress.publish``.
    """

    title: ClassVar[str] = ""
    slug: ClassVar[str] = ""
    help: ClassVar[str] = ""
    inputs: ClassVar[tuple[str, ...]] = ()
    """Parameters that determine the result; a change computes anew. They are kept in the URL."""
    display: ClassVar[tuple[str, ...]] = ()
    """Parameters that only change how the result is shown; a change redraws. They are kept in the URL too."""
    experiment: ClassVar[Any] = ""
    """The experiment that answers, e.g. ``staticmethod(flows.gradient_flow)``: ``compute`` calls it, and saved results
    of it open here. A view that computes in another way gives its public name as a string, or nothing."""
    registries: ClassVar[Mapping[str, Registry]] = {}
    """Parameter → the registry that it chooses from: formula and source of the method stand under the widget."""
    columns: ClassVar[int] = 2
    """How many pictures stand side by side on a wide screen."""

    result = param.ClassSelector(class_=xr.Dataset, default=None, allow_None=True, precedence=-1)
    complaint = param.String(default="", precedence=-1, doc="what is wrong, shown until it is put right")

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self.runner = Runner()
        self._home = Home()
        self._drawn = 0
        self._started = self._adopting = False
        self._shown = self.pictures()
        self._sentence = pn.pane.HTML("", stylesheets=[SENTENCE], sizing_mode="stretch_width")
        self.param.watch(self._inputs_changed, list(self.inputs)) if self.inputs else None
        self.param.watch(lambda *_: self._redraw(), list(self.display)) if self.display else None
        self.param.watch(lambda *_: self._redraw(), "result")

    # ---- what a subclass writes ---------------------------------------------------------------------------------

    def compute(self, inputs: Mapping[str, Any], progress: Progress) -> xr.Dataset:
        """Return the result for ``inputs``, without touching ``self``'s parameters; runs in a worker thread."""
        if not callable(self.experiment):
            raise NotImplementedError(f"{type(self).__name__} names no experiment and writes no compute()")
        return self.experiment(**self.arguments(inputs), progress=progress)

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of the experiment: the inputs themselves, unless a view says otherwise."""
        return dict(inputs)

    def pictures(self) -> Sequence[Showable]:
        """Return the pictures, made once: :class:`Picture` or anything with ``update(ds)`` and ``__panel__``."""
        return []

    def sentence(self, ds: xr.Dataset) -> str:
        """Return the finding in one sentence, with its numbers and their uncertainty."""
        raise NotImplementedError

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated cost of ``compute``; quick work starts by itself, other work waits for Run."""
        return Cost(1.0)

    def precomputed(self, inputs: Mapping[str, Any]) -> xr.Dataset | None:
        """Return a result for ``inputs`` that ships with the workbench, so that the first picture is there at once."""
        return None

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Raise ``ValueError`` with a sentence if ``inputs`` cannot be computed; called before any work."""

    def controls(self) -> list[Any]:
        """Return the widgets of the sidebar: by default one for each of ``inputs`` and ``display``."""
        return [widget_for(self, name) for name in (*self.inputs, *self.display)]

    # ---- what the base does -------------------------------------------------------------------------------------

    def experiment_name(self) -> str:
        """Return the public name of the experiment, or an empty string."""
        return results.public_name(self.experiment) if callable(self.experiment) else self.experiment

    @property
    def cache(self) -> ResultCache:
        """Where results are kept for all visitors."""
        return RESULTS

    @property
    def figures(self) -> list[Picture]:
        """The pictures that can be drawn outside the page as well."""
        return [picture for picture in self._shown if isinstance(picture, Picture)]

    def values(self) -> dict[str, Any]:
        """Return the inputs as they stand."""
        return {name: getattr(self, name) for name in self.inputs}

    def start(self) -> None:
        """Compute the first result, once, when the tab is first seen."""
        if not self._started:
            self._started = True
            if self.result is None:
                self.run(asked=self.cost(self.values()).is_quick)

    def run(self, *, asked: bool = True) -> None:
        """Compute for the inputs as they stand. Long work waits until it is ``asked`` for."""
        inputs = self.values()
        try:
            self.check(inputs)
            cost = self.cost(inputs)
        except (ValueError, TypeError) as error:
            self.runner.cancel()
            self.complaint = str(error)
            return
        self.complaint = ""
        key = self.cache.key(f"{type(self).__module__}.{type(self).__qualname__}", inputs)
        known = self.cache.get(key)
        if known is None:
            known = self.precomputed(inputs)
        if known is not None:
            self.runner.cancel()
            self.result = known
        elif asked or cost.is_quick:
            cache = self.cache
            compute = self.compute

            def work(progress: Progress) -> xr.Dataset:
                made = cache.get(key)
                if made is None:
                    made = compute(inputs, progress)
                    cache.put(key, made)
                return made

            self.runner.submit(work, self._succeed, self._fail, partial=self._succeed, long=not cost.is_quick)
        else:
            self.runner.cancel()

    def show(self, ds: xr.Dataset) -> None:
        """Show a result that was computed elsewhere, e.g. opened from a file; the controls take its parameters."""
        self.runner.cancel()
        self._started = True
        self.complaint = ""
        self._adopt(json.loads(ds.attrs["parameters"]))
        self.result = ds

    def _adopt(self, parameters: Mapping[str, Any]) -> None:
        """Set the inputs that bear the names of a result's parameters, without computing anything."""
        self._adopting = True
        try:
            for name in set(self.inputs) & set(parameters):
                with contextlib.suppress(ValueError, TypeError):  # e.g. a digest in the place of an array
                    setattr(self, name, parameters[name])
        finally:
            self._adopting = False

    def close(self) -> None:
        """Stop the work; called when the visitor leaves."""
        self.runner.close()

    def _inputs_changed(self, *_: Any) -> None:
        if self._started and not self._adopting:
            self.run(asked=False)

    def _succeed(self, ds: xr.Dataset) -> None:
        self.result = ds

    def _fail(self, error: Exception) -> None:
        self.complaint = str(error) or type(error).__name__

    def _redraw(self) -> None:
        if self.result is None:
            return
        # The finding first: it is there at once, while pictures take a moment; so are the findings of other visitors.
        self._sentence.object = f'<p class="sentence" aria-live="polite">{html.escape(self.sentence(self.result))}</p>'
        self._drawn += 1
        if not in_session():
            self._draw(self._drawn, 0)
        elif in_loaded_session():
            self._home.call(self._draw, self._drawn, 0)
        else:  # the page comes with its first picture, and with the others when that one stands
            self._draw(self._drawn, 0, 1)
            self._home.call(self._draw, self._drawn, 1)

    def _draw(self, number: int, first: int, last: int | None = None) -> None:
        """Update some of the pictures, unless a newer result waits for that."""
        if number == self._drawn and self.result is not None:
            with one_change():
                for picture in self._shown[first:last]:
                    picture.update(self.result)

    # ---- layout -------------------------------------------------------------------------------------------------

    def sidebar(self) -> pn.Column:
        """Return the controls with the run button and its announced cost."""
        return pn.Column(*self.controls(), Status(self), sizing_mode="stretch_width")

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.Column(
            pn.pane.Markdown(self.help, stylesheets=[HELP], sizing_mode="stretch_width", margin=(0, 8)),
            message(self.param.complaint, kind="warning"),
            self._sentence,
            self._picture_grid(),
            Downloads(self),
            sizing_mode="stretch_width",
        )

    def _picture_grid(self) -> pn.viewable.Viewable:
        """Place the pictures in equal columns that become one column on a phone."""
        basis = f"calc({100 / self.columns:.4f}% - 12px)"
        cells = [
            pn.Column(picture, styles={"flex": f"1 1 {basis}", "min-width": "min(100%, 330px)"}, margin=4)
            for picture in self._shown
        ]
        return pn.FlexBox(*cells, sizing_mode="stretch_width")
