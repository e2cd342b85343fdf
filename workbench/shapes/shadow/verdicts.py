"""What the paper on shadows of Rips complexes claims, and what exact arithmetic finds.

The paper's theorems were read in its abstract and in its author's slides; the third, for polygonal graphs, is announced
there. Each is tested as an experiment, inside its window and outside.
"""

import numpy as np

from workbench import data
from workbench.verdicts import Claim, Numbers, Rule, above, at_least, at_most

SCALES, WINDOW, FIRST, AGREEMENT = (
    f"shapes/shadow_{name}.nc" for name in ("scales", "window", "first_window", "agreement")
)


def window() -> Numbers:
    """Read the runs inside the third theorem's window."""
    return _runs(WINDOW)


def first_window() -> Numbers:
    """Read the runs inside the first theorem's window, where the distortion of the graph is bounded as well."""
    ds = data.result(FIRST)
    return _runs(FIRST) | {
        "distortion": float((ds.distortion / ds.distortion_limit).max()),
        "bound": float(ds.distortion.max()),
    }


def _runs(name: str) -> Numbers:
    ds = data.result(name)
    truth = ds.truth.values
    right = (ds.betti_complex.values[:, :2] == truth).all(axis=1) & (ds.betti_complex.values[:, 2] == 0)
    known = ds.betti_shadow.values[:, 0] >= 0
    shadow = (ds.betti_shadow.values == truth).all(axis=1)
    names = [str(name) for name in ds.graph.values]
    return {
        "count": len(names),
        "right": int(right.sum()),
        "known": int(known.sum()),
        "wrong": int((known & ~shadow).sum()),
        "least": int(ds.n.min()),
        "most": int(ds.n.max()),
        "density": float(ds.density.max()),
        "told": ", ".join(name for name, one in zip(names, known, strict=True) if one),
    }


def sharp() -> Numbers:
    """Read where path metric and Euclidean distances part on the sharp triangle."""
    ds = data.result(SCALES).sel(graph="isosceles")
    good = (ds.shadow == ds.truth).all("shadow_degree").values
    lost = (ds.euclidean.values[:, :2] != ds.truth.values).any(axis=1)
    proved = ds.failing.values == 0
    both = good & lost & proved
    return {
        "kept": int(both.sum()),
        "first": float(ds.share.values[both].min()) if both.any() else np.nan,
        "last": float(ds.share.values[both].max()) if both.any() else np.nan,
    }


def slack() -> Numbers:
    """Read how far beyond the theorem's largest β the shadow still has the graph's topology."""
    ds = data.result(SCALES)
    good = (ds.shadow == ds.truth).all("shadow_degree")
    largest = ds.share.where(good).max("share")
    times = (largest / ds.allowed).values
    return {"least": float(times.min()), "most": float(times.max()), "fewer": float((ds.points_needed / 60).min())}


def certificate() -> Numbers:
    """Read how often the certificate proves, and whether it ever proved something false."""
    ds = data.result(SCALES)
    same = (ds.complex.values[..., :2] == ds.shadow.values).all(axis=-1) & (ds.complex.values[..., 2] == 0)
    proved = ds.failing.values == 0
    return {
        "same": int(same.sum()),
        "proved": int((proved & same).sum()),
        "false": int((proved & ~same).sum()),
        "refused": int((~proved & ~same).sum()),
        "share": float((proved & same).sum() / max(same.sum(), 1)),
    }


def agreement() -> Numbers:
    """Read the random complexes whose Betti numbers were counted twice."""
    ds = data.result(AGREEMENT)
    apart = (ds.complex.values[:, :2] != ds.shadow.values).any(axis=1)
    return {
        "samples": ds.sizes["sample"],
        "apart": int(apart.sum()),
        "crossings": int(ds.crossings.sum()),
        "holes": int(ds.shadow.values[:, 1].sum()),
    }


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "At the scales of the theorem for complexes (any angles; the large-scale distortion of the graph is bounded) "
        "the path-metric Rips complex of a sample has the graph's homotopy type.",
        first_window,
        "Betti numbers right on {right} of {count} graphs, with {least:,} to {most:,} points, just inside every bound "
        "at ξ = 0.249; that the distortion is at most {bound:.4f} is proved of each graph.",
        Rule(at_least("right", "count"), settled=at_most("density", 1) & at_most("distortion", 1)),
        'shapes.theorem_runs(theorem="T1", xi=0.249, arranged=0)',
        {
            "right": "graphs with the right Betti numbers",
            "count": "graphs",
            "density": "d_H over ξε/2",
            "distortion": "the bound of the distortion over what the theorem allows",
        },
    ),
    Claim(
        "At the scales that the theorem for polygonal graphs allows, the path-metric Rips complex of a sample has the "
        "graph's homotopy type.",
        window,
        "Betti numbers right on {right} of {count} graphs, with {least:,} to {most:,} points, just inside every bound.",
        Rule(at_least("right", "count"), settled=at_most("density", 1)),
        "shapes.theorem_runs()",
        {"right": "graphs with the right Betti numbers", "count": "graphs", "density": "d_H over ξε/2"},
    ),
    Claim(
        "There, its shadow in the plane has it too.",
        window,
        "Exact on {known} of {count} graphs ({told}; the others have too many crossings), wrong on {wrong}.",
        Rule(at_most("wrong", 0), settled=at_least("known", "count")),
        "shapes.theorem_runs()",
        {"wrong": "graphs with a wrong shadow", "known": "graphs computed", "count": "graphs"},
    ),
    Claim(
        "Path distances save loops at sharp corners that Euclidean distances fill.",
        sharp,
        "On the triangle of 28.6° the path-metric shadow keeps its loop, proved, at {kept} scales from β = {first:g} ℓ "
        "to {last:g} ℓ where the Euclidean complex has lost it.",
        Rule(above("kept", 0)),
        "shapes.shadow_scales()",
        {"kept": "scales at which only the path metric is right"},
    ),
    Claim(
        "(Not in the paper.) The theorem's largest β is near the largest that works.",
        slack,
        "With 60 points (the theorem asks for at least {fewer:.0f} times as many) the shadow is right up to "
        "{least:.1f} to {most:.1f} times the largest β allowed.",
        Rule(at_most("most", 2), partly=at_most("least", 2)),
        "shapes.shadow_scales()",
        {"most": "the largest factor", "least": "the smallest factor"},
    ),
    Claim(
        "(The author's announced theorem.) An apex at every cell proves that complex and shadow have one homotopy "
        "type.",
        certificate,
        "Of {same} cases with equal Betti numbers {proved} are proved; of the others {refused} are refused and {false} "
        "proved.",
        Rule(at_most("false", 0) & at_least("share", 0.5), partly=at_most("false", 0)),
        "shapes.shadow_scales()",
        {"false": "false proofs", "share": "the share proved"},
    ),
    Claim(
        "(Chambers et al. 2010.) In the plane a Euclidean Rips complex and its shadow have the same b₀ and b₁.",
        agreement,
        "{apart} of {samples} random complexes differ, with {holes} holes and {crossings:,} crossings in all.",
        Rule(at_most("apart", 0)),
        "shapes.rips_agreement()",
        {"apart": "complexes that differ"},
    ),
)
