"""One question of a room: its parameters, the computation behind it, and the pictures that answer it.

A room subclasses :class:`View` once for each tab. The base does what every tab needs: it computes in a worker thread,
keeps only the newest request, caches, shows progress with a cancel button, announces the cost of long runs, and turns
errors into a message while everything on the page stays.
"""

import contextlib
import html
import inspect
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import panel as pn
import param
import xarray as xr

from workbench import results
from workbench.costs import Cost
from workbench.isolated.experiments import compute as compute_apart
from workbench.progress import Progress
from workbench.registry import Registry
from workbench.ui.kit.arrival import Arrival
from workbench.ui.kit.cache import RESULTS, ResultCache
from workbench.ui.kit.controls import widget_for
from workbench.ui.kit.dispatch import in_loaded_session, in_session, one_change
from workbench.ui.kit.downloads import Downloads
from workbench.ui.kit.message import message
from workbench.ui.kit.picture import Picture, Showable
from workbench.ui.kit.runner import Runner
from workbench.ui.kit.status import Status
from workbench.ui.kit.upload import asked_by

LOG = logging.getLogger(__name__)
HELP = "code { color: inherit !important; }"  # the theme's pale blue is hard to read on white
FOLLOWS_WITHIN = 0.1  # seconds to a first answer that lets the picture follow the hand
OLD = "for the values before"
TURN = 0.1  # seconds of drawing after which other visitors of a server are heard
PATIENCE = 0.25  # seconds that a new value waits for the first answer of the one before
SENTENCE = """
p { margin: 4px; padding: 10px 14px; border-left: 4px solid #0072B2; background: rgba(0, 114, 178, 0.08);
    font-size: 15px; line-height: 1.45; }
"""


class View(pn.viewable.Viewer):
    """A tab of a room. Subclasses set the class attributes, name an experiment and write ``pictures`` and ``sentence``.

    The experiment runs in another thread, reports through ``progress.update`` and may hand over what it has so far with
    ``progress.publish(results.unfinished(ds, "the exact distance"))``: pictures and sentence show that at once, and the
    sentence says what is still to come. Its numbers that are not there yet are missing or NaN, never those of before.
    A ``compute`` of one's own must not touch widgets or panes; it gets a frozen copy of the inputs.

    While a hand moves a slider the picture follows, if first answers come within ``FOLLOWS_WITHIN`` seconds: the work
    for a value on the way is then let through to its first answer. Slower work is dropped for the newest value.
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
    apart: ClassVar[bool] = False
    """Whether a server lets long work of this tab run in a process of its own: work that holds Python's lock often, as
    training does, would slow the answers of all other visitors. Its arguments must be plain data."""
    columns: ClassVar[int] = 2
    """How many pictures stand side by side on a wide screen."""

    result = param.ClassSelector(class_=xr.Dataset, default=None, allow_None=True, precedence=-1)
    complaint = param.String(default="", precedence=-1, doc="what is wrong, shown until it is put right")

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self.runner = Runner()
        self._place = self.runner.place
        self._also_cancelled: list[Callable[[], None]] = []
        self._displayed = False
        self._arrival: Arrival | None = None
        self._drawn = 0
        self._submitted = 0.0
        self._first_answer: float | None = None  # seconds that the last first answer took; None: not known
        self._answered = self._again = False
        self._started = self._adopting = self._foreign = False
        self._old = ""  # what is said beside a finding of other values than those that stand
        self._shown = self.pictures()
        self._sentence = pn.pane.HTML("", stylesheets=[SENTENCE], sizing_mode="stretch_width")
        self.param.watch(self._inputs_changed, list(self.inputs)) if self.inputs else None
        self.param.watch(lambda *_: self._redraw(), list(self.display)) if self.display else None
        self.param.watch(lambda *_: self._redraw(), "result")
        self.runner.param.watch(lambda event: self._dim(event.new), "lasting")

    # ---- what a subclass writes ---------------------------------------------------------------------------------

    def compute(self, inputs: Mapping[str, Any], progress: Progress) -> xr.Dataset:
        """Return the result for ``inputs``, without touching ``self``'s parameters; runs in a worker thread."""
        if not callable(self.experiment):
            raise NotImplementedError(f"{type(self).__name__} names no experiment and writes no compute()")
        taken = {"progress": progress} if "progress" in inspect.signature(self.experiment).parameters else {}
        return self.experiment(**self.arguments(inputs), **taken)

    def compute_apart(self, inputs: Mapping[str, Any], progress: Progress) -> xr.Dataset:
        """Return the same as :meth:`compute`, from a process of its own."""
        return compute_apart(self.experiment, self.arguments(inputs), progress=progress)

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

    @classmethod
    def experiment_name(cls) -> str:
        """Return the public name of the experiment, or an empty string."""
        return results.public_name(cls.experiment) if callable(cls.experiment) else cls.experiment

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
        self._again = False
        inputs = self.values()
        try:
            self.check(inputs)
            cost = self.cost(inputs)
        except (ValueError, TypeError) as error:
            self._stop()
            self.complaint = str(error)
            self._mark_old(OLD)
            return
        self.complaint = ""
        key = self.cache.key(f"{type(self).__module__}.{type(self).__qualname__}", inputs)
        known = self.cache.get(key)
        if known is None:
            known = self.precomputed(inputs)
        if known is not None:
            self.runner.cancel()
            self._show_new(known)
        elif asked or cost.is_quick:
            cache, quick = self.cache, cost.is_quick
            compute = self.compute_apart if self.apart and not quick and in_session() else self.compute

            def work(progress: Progress) -> xr.Dataset:
                # Two visitors who ask for the same long run share it; a quick one is sooner made than waited for.
                with contextlib.nullcontext() if quick else cache.turn(key, progress):
                    made = cache.get(key)
                    if made is None:
                        with asked_by(progress):  # files that the inputs name are read here
                            made = compute(inputs, progress)
                        cache.put(key, made)
                return made

            self._submitted, self._answered = time.monotonic(), False
            self.runner.submit(work, self._succeed, self._fail, partial=self._take, long=not cost.is_quick)
        else:
            self._stop()
            self._mark_old(f"{OLD}; press Run")

    def cancel(self) -> None:
        """Stop the work, and the reading of files; what was still to come of a result is then said to be missing."""
        for also in self._also_cancelled:
            also()
        unanswered = self.runner.busy and not self._answered
        self._stop()
        if unanswered:
            self._mark_old(f"{OLD}; press Run")

    def on_cancel(self, also: Callable[[], None]) -> None:
        """Let ``also`` be called when the visitor cancels or leaves."""
        self._also_cancelled.append(also)

    def _stop(self) -> None:
        self.runner.cancel()
        self._again = False
        if self.result is not None and results.missing(self.result):
            self._tell()

    def show(self, ds: xr.Dataset) -> None:
        """Show a result that was computed elsewhere, e.g. opened from a file; the controls take its parameters."""
        self.runner.cancel()
        self._started = True
        self.complaint = ""
        self._adopt(json.loads(ds.attrs["parameters"]))
        self._foreign = True
        try:
            self._show_new(ds)
        finally:
            self._foreign = False

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
        self._again = False
        for also in self._also_cancelled:
            also()
        self.runner.close()

    def _inputs_changed(self, *_: Any) -> None:
        if not self._started or self._adopting:
            return
        if self._lets_through():
            if not self._again:
                self._again = True
                timer = threading.Timer(PATIENCE, self._place.call, (self._catch_up,))
                timer.daemon = True
                timer.start()
        else:
            self.run(asked=False)

    def _lets_through(self) -> bool:
        """Tell whether the work that runs is about to answer, so that a newer value had better wait for it."""
        about_to = self._first_answer is not None and self._first_answer < FOLLOWS_WITHIN
        running = self.runner.busy and not self.runner.lasting and not self._answered
        behind = self._arrival is not None and self._arrival.is_behind
        return ((about_to and running) or behind) and time.monotonic() - self._submitted < PATIENCE

    def _catch_up(self) -> None:
        """Compute for the newest value, if one is waiting."""
        if self._again:
            self.run(asked=False)

    def _take(self, ds: xr.Dataset) -> None:
        """Show a result, finished or not, and let a value that waited for it have its turn."""
        if not self._answered:
            self._answered, self._first_answer = True, time.monotonic() - self._submitted
            self._dim(False)
        self._show_new(ds)
        self._catch_up()

    def _show_new(self, ds: xr.Dataset) -> None:
        was, self._old = self._old, ""
        before, self.result = self.result, ds
        if was and before is ds:  # the very result of before, which is of these values again
            self._tell()

    def _mark_old(self, words: str) -> None:
        """Say beside the finding that it is one of other values; ``words`` say so and what to do."""
        if self.result is not None and self._old != words:
            self._old = words
            self._tell()

    def _succeed(self, ds: xr.Dataset) -> None:
        self._take(ds)

    def _fail(self, error: Exception) -> None:
        self._first_answer = None
        self.complaint = str(error) or type(error).__name__
        if not self._answered:
            self._mark_old(OLD)
        if self.result is not None:
            self._tell()
        self._catch_up()

    def _redraw(self) -> None:
        if self.result is None:
            return
        # The finding first: it is there at once, while pictures take a moment; so are the findings of other visitors.
        self._tell()
        self._drawn += 1
        if not in_session():
            if self._displayed and self._place.is_notebook:
                self._place.call(self._draw, self._drawn, 0, 1)
            else:
                self._draw(self._drawn, 0)
        elif in_loaded_session():
            self._place.call(self._draw, self._drawn, 0, 1)
        else:  # the page comes with its first picture, and with the others when that one stands
            self._draw(self._drawn, 0, 1)

    def _tell(self) -> None:
        """Write the sentence, and what of its result is still to come."""
        assert self.result is not None
        try:
            text = self.sentence(self.result)
        except Exception as error:
            self._cannot_show(error)
            return
        missing = results.missing(self.result)
        if missing:
            text += f" {missing[0].upper()}{missing[1:]} {'to follow …' if self.runner.busy else 'not computed.'}"
        old = f" <em>({self._old})</em>" if self._old else ""
        self._sentence.object = f'<p class="sentence" aria-live="polite">{html.escape(text)}{old}</p>'

    def _cannot_show(self, error: Exception) -> None:
        """Say that a result cannot be shown; one that this tab did not make may lack what the tab reads."""
        if not in_session() and not self._foreign:
            raise error
        LOG.error("a result of %s cannot be shown", self.experiment_name() or type(self).__name__, exc_info=error)
        self._sentence.object = ""
        lack = (
            f"it lacks {error}" if isinstance(error, KeyError | AttributeError) else f"{type(error).__name__}: {error}"
        )
        self.complaint = f"this result cannot be shown here ({lack[:200]}); open one that this version has saved"

    def _dim(self, waits: bool) -> None:
        """Let a finding fade that belongs to values of before, while those of now are computed."""
        opacity = "0.5" if waits and not self._answered and self.result is not None else "1"
        if self._sentence.styles.get("opacity", "1") != opacity:
            self._sentence.styles = {"opacity": opacity}

    def _draw(self, number: int, first: int, last: int | None = None) -> None:
        """Update some of the pictures, then the others, unless a newer result waits for that.

        On a server it stops after ``TURN`` seconds and goes on when other visitors have been heard: a new plot takes a
        tenth of a second, and a tab has up to six.
        """
        if number == self._drawn and self.result is not None:
            reached, until = first, time.monotonic() + TURN
            try:
                with one_change():
                    for picture in self._shown[first:last]:
                        if reached > first and in_session() and time.monotonic() > until:
                            break
                        picture.update(self.result)
                        reached += 1
            except Exception as error:
                self._cannot_show(error)
                return
            self.runner.drawn()
            if reached < len(self._shown):
                self._place.call(self._draw, number, reached)
            if self._arrival is not None:
                self._arrival.ask()

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
            *self._listening(),
            sizing_mode="stretch_width",
        )

    def _listening(self) -> list[Arrival]:
        """In a notebook, keep back what changes until the browser listens."""
        self._displayed = True
        if not self._place.is_notebook:
            return []
        self._place.hold()
        self._arrival = Arrival(self._place.release, self._catch_up)
        return [self._arrival]

    def _picture_grid(self) -> pn.viewable.Viewable:
        """Place the pictures in equal columns that become one column on a phone."""
        basis = f"calc({100 / self.columns:.4f}% - 12px)"
        cells = [
            pn.Column(picture, styles={"flex": f"1 1 {basis}", "min-width": "min(100%, 330px)"}, margin=4)
            for picture in self._shown
        ]
        return pn.FlexBox(*cells, sizing_mode="stretch_width")
