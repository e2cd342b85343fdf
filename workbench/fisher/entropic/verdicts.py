"""What the abstract of the paper on entropic curvature claims, and what its formulas come to; only it could be read."""

import functools

import numpy as np

from workbench import data
from workbench.fisher.entropic.curvature import log_hessian
from workbench.fisher.entropic.fields import displaced_density, lognormal
from workbench.fisher.entropic.grid import Grid
from workbench.fisher.entropic.measures import Bumps, Normal
from workbench.fisher.entropic.pairs import entropic_curvature
from workbench.fisher.entropic.periodic import periodic_transport
from workbench.fisher.entropic.scale import scale_flow
from workbench.fisher.entropic.statistics import grid_statistics
from workbench.fisher.entropic.symmetric import web
from workbench.verdicts import Claim, Numbers, Rule, above, at_least, at_most, below, within

MADE = "data/make_fisher_entropic.py"
SIGMAS = 3.0
RMS = {"0.3": "03", "1": "10", "2": "20"}
LINE = Bumps([0.6, 0.4], [0.0, 2.5], [1.0, 0.7])


def local_limit() -> Numbers:
    """Let the reach of the translation probe shrink on a lognormal field."""
    grid = Grid((64, 64))
    rho = lognormal(grid, -1.5, 1.0, 0.05, np.random.default_rng(0))
    hessian = log_hessian(rho, grid, 0.0, 0.0, 0.0, np.inf)
    off = {}
    for reach in (0.02, 0.01, 0.001):
        probed = log_hessian(rho, grid, 0.0, reach, 0.0, np.inf)
        off[reach] = float(np.abs(probed - hessian).max() / np.abs(hessian).max())
    same = float((web(probed) == web(hessian)).mean())
    classical = log_hessian(rho, grid, 0.0, 0.0, 0.0, 3.0)
    spectrum = grid.forward(rho)
    direct = -grid.second(spectrum) / rho
    return {
        "first": off[0.02],
        "second": off[0.01],
        "falls": off[0.02] / off[0.01],
        "same": same,
        "classical": float(np.abs(classical - direct).max() / np.abs(direct).max()),
    }


def from_the_spectrum() -> Numbers:
    """Read the studies of many fields: lognormal in two and three dimensions, Zel'dovich in two."""
    flat, cube, moved = (data.result(f"fisher/{name}.nc") for name in ("web_2d", "web_3d_10", "web_zeldovich"))
    worst = {}
    for name, ds in (("flat", flat), ("cube", cube), ("moved", moved)):
        worst[name] = float(np.abs(ds.z).max())
    shares = []
    for ds in (flat, cube):
        found = ds.shares.sel(dimension="inf")
        error = found.std("field", ddof=1) / np.sqrt(ds.sizes["field"])
        shares.append(float((abs(found.mean("field") - ds.expected_shares) / error).max()))
    return {
        **worst,
        "worst": max(worst["flat"], worst["cube"], *shares),
        "fields": flat.sizes["field"],
        "cubes": cube.sizes["field"],
        "knots": float(cube.shares.sel(dimension="inf", positive=3).mean()),
        "knots_expected": float(cube.expected_shares[3]),
    }


def on_the_pair() -> Numbers:
    """Take many pairs around one place of a mixture: bounds, and how far they are from each other."""
    rng = np.random.default_rng(0)
    values = []
    for _ in range(40):
        ends = [Normal(1.2 + 0.4 * rng.normal(), (0.1 + 0.5 * rng.random()) ** 2) for _ in range(2)]
        ds = entropic_curvature(*ends, reference=LINE)
        values.append([float(ds.value), float(ds.internal)])
    x = np.linspace(-6, 8, 4001)
    step = x[1] - x[0]
    log = LINE.log_density(x[:, None])
    bound = float((-(log[2:] + log[:-2] - 2 * log[1:-1]) / step**2).min())
    found = np.array(values)
    return {
        "bound": bound,
        "lowest": float(found[:, 0].min()),
        "highest": float(found[:, 0].max()),
        "apart": float(np.ptp(found[:, 0])),
        "internal": float(found[:, 1].min()),
        "above": float(found[:, 0].min() - bound),
        "pairs": len(found),
    }


def log_or_not() -> Numbers:
    """Read how many cells change their class between ln ρ and ρ, and what becomes of the knots."""
    found = {}
    for label, name in RMS.items():
        ds = data.result(f"fisher/web_3d_{name}.nc")
        found[f"changed_{name}"] = float(ds.changed.mean())
        found[f"knots_{name}"] = float(ds.shares.sel(dimension="d+1", positive=3).mean())
        found[f"rms_{name}"] = label
    return found | {"least": found["changed_03"], "before": float(ds.expected_shares[3])}


def whole_box() -> Numbers:
    """Compare linear theory on boxes of several sizes, in smoothing lengths, with infinite space."""
    found = [grid_statistics(Grid((128, 128)), 1.0, 0.01, R).box_curvature * R**2 for R in (0.08, 0.04, 0.02)]
    return {"large": found[2], "middle": found[1], "small": found[0], "limit": 0.5}


def halo() -> Numbers:
    """Look at a Gaussian halo through windows as wide as itself."""
    x = np.minimum(np.arange(128), 128 - np.arange(128)) / 128
    width = 0.05
    rho = np.exp(-(x[:, None] ** 2 + x**2) / 2 / width**2) + 1e-12
    ds = scale_flow(rho, [0.02, 0.05])
    return {
        "raw": 1 - float(ds.raw[1] / ds.raw[0]),
        "clean": float(np.abs(ds.desmoothed * width**2 - 1).max()),
    }


@functools.cache
def reconstruction() -> dict[str, float]:
    """Reconstruct a displacement that is known, and try a field with steep peaks."""
    grid = Grid((64, 64))
    x, y = (2 * np.pi * np.arange(64) / 64 for _ in range(2))
    waves = np.cos(x)[:, None] + 0.7 * np.cos(y) + 0.5 * np.cos(x[:, None] + 2 * y)
    potential = 0.12 * waves / (2 * np.pi) ** 2
    found = periodic_transport(displaced_density(grid, potential))
    exact = float(sum((one**2).mean() for one in grid.gradient(grid.forward(potential))))
    peaked = periodic_transport(lognormal(Grid((48, 48)), -1.5, 1.5, 0.03, np.random.default_rng(1)))
    return {
        "off": abs(found.W2 / exact - 1),
        "residual": found.residual,
        "peaked": peaked.residual,
        "refused": float(not peaked.converged and np.isnan(peaked.W2)),
    }


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "(Entropic curvature, arXiv 2604.00593; only its abstract could be read, which has no numbers.) The "
        "classification of the cosmic web by a Hessian is the local limit of entropic curvature.",
        local_limit,
        "On a lognormal field the finite probe is off the Hessian of −ln ρ by {first:.1%} of its largest entry at a "
        "reach of 0.02, by {second:.2%} at half of that ({falls:.2f} times less, 4 being second order); at 0.001 "
        "{same:.2%} of the cells have the same class. At N = d + 1 it is the Hessian of ρ to {classical:.0e}.",
        Rule(within("falls", 4.0, 0.2) & at_least("same", 0.999)),
        "fisher.curvature_field(rho, probe=h)",
        {"falls": "how much halving the reach takes away", "same": "the share of equal classes"},
    ),
    Claim(
        "(Entropic curvature.) Statistics of curvature are higher integrals of the power spectrum.",
        from_the_spectrum,
        "Where ln ρ is Gaussian, second moments and classes of {fields} fields of 256² and {cubes} of 96³ lie within "
        "{worst:.1f} standard errors of the closed forms (knots {knots:.4f}, exact {knots_expected:.4f}). In "
        "Zel'dovich fields, whose ln ρ is not Gaussian, the same integrals are off by {moved:.0f} standard errors.",
        Rule(at_most("worst", SIGMAS) & at_most("moved", SIGMAS), partly=at_most("worst", SIGMAS)),
        f"{MADE}: fisher.web_study()",
        {"worst": "the largest distance for Gaussian ln ρ in standard errors", "moved": "that for Zel'dovich fields"},
    ),
    Claim(
        "(Entropic curvature.) The curvature at a finite scale is an indicator that can be read off data.",
        on_the_pair,
        "{pairs} pairs around one place of a mixture on a line give {lowest:.2f} to {highest:.2f}: it depends on the "
        "pair, not only on the place. None lies below the true bound {bound:.2f}, since the pair's own part is never "
        "negative: it is an upper estimate of the bound.",
        Rule(at_most("apart", 0.1) & at_least("above", 0), partly=at_least("above", 0) & at_least("internal", 0)),
        "fisher.entropic_curvature(mu0, mu1, reference=rho)",
        {
            "apart": "how far pairs at one place are apart",
            "above": "the distance of the lowest from the bound",
            "internal": "the least own part of a pair",
        },
    ),
    Claim(
        "(Often taken for granted.) It makes no difference to the web whether ln ρ or ρ is differentiated.",
        log_or_not,
        "In lognormal fields of 96³ with rms {rms_03}, {rms_10}, {rms_20} of ln ρ {changed_03:.0%}, {changed_10:.0%}, "
        "{changed_20:.0%} of the cells change their class, and knots fall from {before:.1%} to {knots_03:.1%}, "
        "{knots_10:.1%}, {knots_20:.1%}.",
        Rule(at_most("least", 0.05)),
        f"{MADE}: fisher.web_study(shape=(96, 96, 96))",
        {"least": "the least share of cells that change"},
    ),
    Claim(
        "(Derived here.) In linear theory the curvature of a whole box is (n + d − 2)/(2R²).",
        whole_box,
        "K R² = {large:.3f}, {middle:.3f}, {small:.3f} in boxes of 50, 25 and 12.5 smoothing lengths (n = 1, d = 2), "
        "and {limit} in infinite space: modes longer than the box are missing, so a finite box lies above.",
        Rule(within("large", "limit", 0.01), partly=below("large", "middle") & above("large", "limit")),
        "fisher.curvature_statistics(spectrum, 2).box_curvature",
        {"large": "K R² in the largest box", "middle": "that in half of it", "limit": "½"},
    ),
    Claim(
        "(Derived here.) With the smoothing taken out, a Gaussian halo does not change with scale.",
        halo,
        "Between windows of 0.4 and 1 of its width the raw curvature of a halo falls by {raw:.0%}; with the smoothing "
        "taken out it is right to {clean:.0e} in both.",
        Rule(at_most("clean", 1e-6)),
        "fisher.scale_flow(rho, radii)",
        {"clean": "the largest relative error"},
    ),
    Claim(
        "(Derived here.) Displacements are reconstructed exactly, without regularisation, from the density alone.",
        reconstruction,
        "A known displacement of one stream: W² is right to {off:.0e} with a residual of {residual:.0e}. A field with "
        "peaks that the grid does not resolve stops at a residual of {peaked:.0e} and is refused.",
        Rule(at_most("off", 1e-8) & at_most("peaked", 1e-8), partly=at_most("off", 1e-8) & at_least("refused", 1)),
        "fisher.periodic_transport(rho)",
        {"off": "the relative error of W²", "peaked": "the residual with peaks", "refused": "whether that is refused"},
    ),
)
