"""What every page shares, and one Viewer a room.

A page is a :class:`~workbench.ui.kit.room.Room` made of :class:`~workbench.ui.kit.view.View` objects, one a tab. A
view names its parameters and the experiment that makes a Dataset of them in a worker thread, and shows pictures of it::

    class Sine(View):
        title, slug = "A sine", "sine"
        inputs = ("frequency",)          # a change computes anew; kept in the URL
        display = ("logarithmic",)       # a change redraws; kept in the URL
        experiment = staticmethod(waves.sine)   # computes; results of it that were saved open here

        frequency = param.Number(1.0, bounds=(0.1, 10), label="frequency", doc="in hertz")
        logarithmic = param.Boolean(False, label="logarithmic axis")

        def arguments(self, inputs):                            # only if they are not the inputs themselves
            return inputs | {"samples": 200}

        def pictures(self):                                     # made once, updated with every result
            return [Picture("Sine", self._figure, waves_summary)]

        def sentence(self, ds):
            return f"One period takes {1 / self.frequency:.2f} s."

        def _figure(self, ds):
            return figures.waves.sine(ds, logarithmic=self.logarithmic)

    class WavesRoom(Room):
        title, slug, purpose = "Waves", "waves", "See a wave."
        view_classes = (Sine,)

    WavesRoom().page().servable()         # all of apps/waves.py after the imports

Long work: return its :class:`~workbench.costs.Cost` from ``cost(inputs)``. Up to two seconds it starts by itself;
longer work is announced and waits for Run. ``check(inputs)`` refuses before any work. An answer with a quick and a slow
part shows the quick one at once: ``progress.publish(results.unfinished(ds, "the error bars"))`` in the experiment, with
NaN for what is missing; the page adds "to follow …" and never shows a number of before. What a run costs stands in
``workbench/waves/costs.py``, one function for each experiment, and :func:`workbench.costs.of` finds it. ``registries =
{"method": waves.METHODS}`` puts formula and source of the chosen method under its widget. The room's claims stand in
``workbench/waves/verdicts.py``, where their outcomes follow from measured numbers (:mod:`workbench.verdicts`).
"""
