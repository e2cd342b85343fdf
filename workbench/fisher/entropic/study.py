"""Many fields, measured and compared with the closed forms: each field is one draw, never its cells."""

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from workbench import checks, results
from workbench.fisher.entropic.curvature import BYTES_PER_CELL
from workbench.fisher.entropic.fields import FIELDS
from workbench.fisher.entropic.grid import Floats, grid_of
from workbench.fisher.entropic.statistics import grid_statistics
from workbench.fisher.entropic.symmetric import class_shares, minus_outer, web
from workbench.progress import Progress

QUANTITIES = ("second", "diagonal", "mixed", "probe")


@results.experiment
def web_study(
    kind: str = "lognormal",
    shape: ArrayLike = (256, 256),
    *,
    slope: float = -1.5,
    sigma: float = 1.0,
    smoothing: float = 0.02,
    probe: float = 0.03,
    fields: int = 20,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return what the curvature of many random fields is on average, with errors over the fields, and its closed form.

    For ``fields`` independent densities of :func:`field`: the ``measured`` second moments of H = −∇∇ ln ρ by
    ``quantity`` (of its trace, its diagonal, off it, and of the translation probe of reach ``probe``), the ``expected``
    ones of the grid's modes and their ``z`` in standard errors; the ``shares`` of cells by positive eigenvalues for
    ``dimension`` N = ∞ and N = d + 1, and the share of cells whose class these two give differently, ``changed``. The
    closed forms hold where ln ρ is Gaussian (lognormal). Errors come from the spread over fields: cells of one field
    are correlated. Cost: 50 ms a field of 256², 2 s of 96³.

    >>> ds = web_study(shape=(32, 32), smoothing=0.08, fields=4)
    >>> ds.shares.sum("positive").round(12).values.tolist()
    [[1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]
    """
    entry = FIELDS[kind]
    grid = grid_of(shape)
    fields = checks.integer("fields", fields, minimum=2, maximum=10_000)
    probe = checks.real("probe", probe, exclusive_minimum=0)
    sigma = checks.real("sigma", sigma, exclusive_minimum=0, maximum=6)
    smoothing = checks.real("smoothing", smoothing, minimum=grid.cell, maximum=1)
    checks.memory(BYTES_PER_CELL * grid.cells, f"fields of {grid.cells:,} cells")
    progress = progress or Progress()
    d = grid.dimension
    moments = np.empty((fields, len(QUANTITIES)))
    shares = np.empty((fields, 2, d + 1))
    changed = np.empty(fields)
    for k, rng in enumerate(checks.generator(seed).spawn(fields)):
        progress.update(k, fields, f"field {k + 1} of {fields}")
        potential = -np.log(entry.function(grid, slope, sigma, smoothing, rng))
        spectrum = grid.forward(potential)
        raw = grid.second(spectrum)
        moments[k] = _moments(raw, grid.second(spectrum, probe), d)
        classes = web(raw)
        slopes = grid.gradient(spectrum)
        classical = web(minus_outer(raw, slopes))
        shares[k] = class_shares(classes, d), class_shares(classical, d)
        changed[k] = float((classes != classical).mean())
    progress.update(fields, fields, "done")
    exact = grid_statistics(grid, slope, sigma, smoothing, h=probe)
    expected = np.array([getattr(exact, name) for name in QUANTITIES])
    errors = moments.std(axis=0, ddof=1) / np.sqrt(fields)
    unit = "1/length⁴"
    one = ("quantity",)
    return results.dataset(
        {
            "moment": (("field", "quantity"), moments, "second moment in each field", unit),
            "measured": (one, moments.mean(axis=0), "mean over the fields", unit),
            "error": (one, errors, "its standard error", unit),
            "expected": (one, expected, "exact expectation on this grid", unit),
            "z": (one, (moments.mean(axis=0) - expected) / errors, "difference in standard errors"),
            "shares": (("field", "dimension", "positive"), shares, "share of cells"),
            "expected_shares": (("positive",), exact.shares, "exact probability for N = ∞"),
            "changed": (("field",), changed, "share of cells whose class changes between the two"),
            "box_curvature": ((), exact.box_curvature, "curvature of the whole box in linear theory", "1/length²"),
        },
        {
            "field": (("field",), np.arange(fields), "number of the field"),
            "quantity": (one, np.array(["Laplacian", "H_xx", "H_xy", "probe"]), "second moment of"),
            "dimension": (("dimension",), np.array(["inf", "d+1"]), "dimension N"),
            "positive": (("positive",), np.arange(d + 1), "positive eigenvalues"),
        },
        {"kind": kind, "d": d},
    )


def _moments(raw: Floats, probed: Floats, d: int) -> Floats:
    """Return the second moments of a field, as means over its cells and over the axes."""
    return np.array(
        [
            (raw[:d].sum(axis=0) ** 2).mean(),
            (raw[:d] ** 2).mean(),
            (raw[d:] ** 2).mean(),
            (probed[:d] ** 2).mean(),
        ]
    )
