"""Where damping is asked for: the phase diagram of T = κ^a ρ^b, and the regime along the Ising torus, both exact."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from workbench import checks, results
from workbench.fisher.regulators.damping import alpha_of, checked_power, damping_threshold, optimal_damping
from workbench.fisher.regulators.learning import best_learning
from workbench.fisher.regulators.spectra import spectrum, torus_spectrum
from workbench.fisher.torus import J_CRITICAL, critical_partner
from workbench.progress import Progress

LARGEST_SIDE = 512
PATHS = ("coupling", "critical line")


@results.experiment
def phase_diagram(
    p: float = 2, smallest: float = 1.0, ratios: ArrayLike | None = None, kappas: ArrayLike | None = None
) -> xr.Dataset:
    """Return the damping that κ(g)^a μ_max^b asks for, over b/a and the condition number κ of F, in closed form.

    ``p`` is the power in M = F^p, ``smallest`` λ_min, which sets the scale of c. ``ratios`` are b/a > 0 and ``kappas``
    ≥ 1, rising, up to 500 of each. Variables: ``damping`` c* (kappa, ratio), ``alpha`` (kappa, ratio), ``threshold``
    κ_c (ratio,): there is damping above it and none below, and it can be any number above 1.

    >>> ds = phase_diagram(ratios=[0.5, 1.0, 3.0], kappas=[1.0, 3.0, 9.0])
    >>> ds.threshold.values.tolist()
    [1.5, 2.0, 4.0]
    >>> ds.damping.sel(kappa=9.0).values.round(9).tolist()
    [15.0, 7.0, 1.666666667]
    """
    p = checked_power(p)
    smallest = checks.real("smallest", smallest, exclusive_minimum=0.0)
    across = _axis("ratios", np.logspace(-1, 1, 61) if ratios is None else ratios, 0.0)
    up = _axis("kappas", np.logspace(0, 2, 61) if kappas is None else kappas, 1.0)
    if across[0] == 0:
        raise ValueError("ratios must be above 0; at b = 0 the damping is infinite whatever κ is")
    # c* = (a λ_max^(p−1) − (a+b) λ_min^(p−1))/b with everything divided by a
    damping = smallest ** (p - 1) * np.maximum(0.0, (up[:, None] ** (p - 1) - 1 - across) / across)
    thresholds = np.array([damping_threshold(1.0, float(r), p) if r <= 10 else np.exp(np.log1p(r) / (p - 1))
                           for r in across])  # fmt: skip
    return results.dataset(
        {
            "damping": (("kappa", "ratio"), damping, "optimal damping c*"),
            "alpha": (("kappa", "ratio"), alpha_of(damping), "regime α"),
            "threshold": (("ratio",), thresholds, "condition number κ_c above which damping is asked for"),
        },
        {
            "kappa": (("kappa",), up, "condition number κ of F"),
            "ratio": (("ratio",), across, "powers b/a in κ(g)^a μ_max^b"),
        },
        {"power": p},
    )


def _axis(name: str, given: ArrayLike, minimum: float) -> np.ndarray:
    values = checks.finite_array(name, given, ndim=1)
    if len(values) > 500 or values.min() < minimum or np.any(np.diff(values) <= 0):
        raise ValueError(f"{name} must be up to 500 rising numbers from {minimum:g} on")
    return values


@results.experiment
def torus_regimes(
    sizes: Sequence[int] = (8, 16, 32, 64),
    couplings: ArrayLike | None = None,
    path: str = "coupling",
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return κ(F) and the regime α of model A on Ising tori, from the exact metric of the room.

    ``path`` "coupling" moves the coupling of all bonds, "critical line" moves the horizontal coupling J with the
    vertical one sinh 2J sinh 2J' = 1. ``sizes`` are sides from 3 to 512, ``couplings`` J in rising order, default 0.05
    to 0.7. Variables over (L, J): ``smallest`` and ``largest`` eigenvalue, ``kappa``, ``c_star``, ``alpha``,
    ``best_alpha`` of the learner with the best step on the likelihood loss, and ``effective_share``, Σ α_k/m at
    β = ½. O(n log n) for each; couplings so strong that double precision loses the metric are refused.

    >>> ds = torus_regimes((8,), [0.2, 0.4406867935])
    >>> ds.alpha.values.round(4).tolist()
    [[0.0, 0.7663]]
    """
    sides = [checks.integer("size", L, minimum=3, maximum=LARGEST_SIDE) for L in sizes]
    if not sides or sorted(set(sides)) != sides:
        raise ValueError(f"sizes must be rising sides, got {list(sizes)}")
    checks.choice("path", path, PATHS)
    J = _axis("couplings", np.linspace(0.05, 0.7, 27) if couplings is None else couplings, 1e-3)
    progress = progress or Progress()
    found = np.empty((7, len(sides), len(J)))
    for i, L in enumerate(sides):
        for j, coupling in enumerate(J.tolist()):
            progress.update(i * len(J) + j, len(sides) * len(J), f"L = {L}, J = {coupling:.3f}")
            values = torus_spectrum(L, coupling, None if path == "coupling" else critical_partner(coupling))
            own = spectrum(values)
            c_star = optimal_damping(own)
            learner = best_learning(spectrum(values[[0, -1]]), "likelihood", "best").c
            share = float(np.mean(values / (values + 0.5)))
            found[:, i, j] = (
                own.smallest, own.largest, own.condition, c_star, float(alpha_of(c_star)),
                float(alpha_of(learner)), share,
            )  # fmt: skip
    progress.update(1, 1)
    names = {
        "smallest": "smallest eigenvalue of F",
        "largest": "largest eigenvalue of F",
        "kappa": "condition number κ of F",
        "c_star": "optimal damping c* of model A",
        "alpha": "regime α of model A",
        "best_alpha": "α at the damping that learns fastest with the best step, H = F",
        "effective_share": "share of effective parameters at β = ½",
    }
    return results.dataset(
        {name: (("L", "J"), values, told) for (name, told), values in zip(names.items(), found, strict=True)}
        | {"critical_coupling": ((), J_CRITICAL, "critical coupling of the isotropic torus")},
        {"L": (("L",), sides, "side L"), "J": (("J",), J, "horizontal coupling J")},
        {"path": path},
    )
