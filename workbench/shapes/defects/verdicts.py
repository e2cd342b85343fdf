"""What the general teleparallel theory claims of defects, and what their exact fields say.

Of the paper the abstract could be read, not its field equations; what is judged are its identifications.
"""

import numpy as np

from workbench import data
from workbench.verdicts import Claim, Numbers, Rule, above, at_least, at_most, within

DICTIONARIES = "shapes/defects_dictionaries.nc"
NOISE, CIRCUITS = "shapes/defects_noise.nc", "shapes/defects_circuits.nc"
ROUNDING = 1e-8


def carried() -> Numbers:
    """Read the vector share of edges, screws and what lies between."""
    ds = data.result(DICTIONARIES)
    share = ds.vector.sel(character=[90.0, 45.0, 0.0]).values
    return {"edge": float(share[0]), "mixed": float(share[1]), "screw": float(share[2]), "least": float(share.min())}


def polar_wedges() -> Numbers:
    """Read both fluxes around wedges in the frame of the polar coordinates, as multiples of the angle."""
    ds = data.result(DICTIONARIES).sel(frame="polar")
    first, second = ds.first_flux / ds.angle, ds.second_flux / ds.angle
    off = np.abs(np.abs(second.values) - 1)
    return {
        "first": float(np.abs(first).max()),
        "least": float(np.abs(second).min()),
        "five": float(second.sel(wedge=60.0)),
        "seven": float(second.sel(wedge=-60.0)),
        "small": float(second.sel(wedge=1.0)),
        "off": float(off.max()),
        "small_off": float(np.abs(np.abs(second.sel(wedge=[-1.0, 1.0])) - 1).max()),
    }


def other_frame() -> Numbers:
    """Read the fluxes of a wedge of 60° in both frames."""
    ds = data.result(DICTIONARIES).sel(wedge=60.0)
    first, second = (ds[f"{name}_flux"] / ds.angle for name in ("first", "second"))
    return {
        "polar_first": abs(float(first.sel(frame="polar"))),
        "polar_second": float(second.sel(frame="polar")),
        "other_first": float(first.sel(frame="isothermal")),
        "other_second": float(second.sel(frame="isothermal")),
        "apart": float(max(np.ptp(first.values), np.ptp(second.values))),
    }


def points() -> Numbers:
    """Read how the first trace grows with a point source, and that of a crystal without any defect."""
    ds = data.result(DICTIONARIES)
    order = np.diff(np.log(ds.point_first)) / np.diff(np.log(ds.strength))
    return {
        "order": float(order[0]),
        "first": float(ds.point_first.sel(strength=0.01)),
        "ratio": float((ds.point_first / ds.point_second).sel(strength=0.01)),
        "bend": abs(float(ds.bend_first)),
        "curvature": float(ds.bend),
    }


def integers() -> Numbers:
    """Read the loops around dislocations in space, and those in a crystal that is shaken."""
    ds, shaken = data.result(CIRCUITS), data.result(NOISE)
    right = (ds.found == ds.expected).all("axis")
    wrong = shaken.wrong.sum("repeat")
    whole = shaken.noise.values[(wrong == 0).values & (shaken.refused.sum("repeat") == 0).values]
    broken = shaken.noise.values[(wrong > 0).values]
    return {
        "cases": ds.sizes["case"],
        "circuits": right.size,
        "right": int(right.sum()),
        "proved": int(ds.is_proved.sum()),
        "missed": right.size - int((right & ds.is_proved).sum()),
        "stands": float(whole.max()) if len(whole) else 0.0,
        "breaks": float(broken.min()) if len(broken) else float("nan"),
        "loops": int(shaken.loops) * shaken.sizes["repeat"],
        "atoms": int(shaken.atoms),
    }


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "A dislocation is the trace of torsion.",
        carried,
        "The trace carries {edge:.0%} of an edge's torsion, {mixed:.0%} at 45° and {screw:.0%} of a screw's: screws "
        "lie in the parts that the paper keeps for other use.",
        Rule(at_least("least", 0.5), partly=above("edge", 0)),
        "shapes.defect_dictionaries()",
        {"least": "the least share", "edge": "that of an edge"},
    ),
    Claim(
        "A disclination shows in the second trace of non-metricity and not in the first.",
        polar_wedges,
        "In the frame of the polar coordinates the first flux of a wedge is {first:.1g} Ω at most, the second "
        "{least:.2f} Ω at least.",
        Rule(at_most("first", ROUNDING) & at_least("least", 0.5)),
        "shapes.defect_dictionaries()",
        {"first": "|first flux|/Ω", "least": "the least |second flux|/Ω"},
    ),
    Claim(
        "The second trace is the charge of a disclination.",
        polar_wedges,
        "Its flux is {five:.4f} Ω for a five-fold wedge, {seven:.4f} Ω for a seven-fold one and {small:.4f} Ω for a "
        "wedge of 1°: Ω to first order.",
        Rule(at_most("off", 0.01), partly=at_most("small_off", 0.01)),
        "shapes.defect_dictionaries()",
        {"off": "the largest ||flux|/Ω − 1|", "small_off": "that of wedges of 1°"},
    ),
    Claim(
        "Which trace a defect shows in does not depend on the flat frame.",
        other_frame,
        "One cone of 60°: first and second flux {polar_first:.3f} Ω and {polar_second:.3f} Ω in polar coordinates, "
        "{other_first:.3f} Ω and {other_second:.3f} Ω in isothermal ones, where it would be a point defect as well.",
        Rule(at_most("apart", 0.01)),
        "shapes.defect_dictionaries()",
        {"apart": "the difference of fluxes between the frames over Ω"},
    ),
    Claim(
        "A point defect is the first trace of non-metricity.",
        points,
        "Beside a point source c r̂/r the first trace grows as c^{order:.2f} and is {ratio:.2f} times the second; a "
        "bent crystal without any defect has {bend:.3f} at a curvature of {curvature:.3f}.",
        Rule(within("order", 1.0, 0.1) & at_most("bend", ROUNDING), partly=above("first", 0)),
        "shapes.defect_dictionaries()",
        {"order": "the order in c", "bend": "the trace of a bent crystal", "first": "the trace of a point source"},
    ),
    Claim(
        "The charges can be had without choosing a frame: as the holonomy of the lattice, in integers (ours).",
        integers,
        "{right} of {circuits} circuits around {cases} dislocations in bcc and fcc give the Burgers vector put in, "
        "with its sign, and {proved} are proved by the small checker. Shaken by up to {stands:.2f} spacings all "
        "{loops} loops in {atoms:,} atoms stay exact; the first wrong one comes at {breaks:.2f}.",
        Rule(at_most("missed", 0) & at_least("stands", 0.05)),
        "shapes.dislocation_circuits(), shapes.noise_breakdown()",
        {"missed": "circuits that are wrong or not proved", "stands": "the noise at which all loops are exact"},
    ),
)
