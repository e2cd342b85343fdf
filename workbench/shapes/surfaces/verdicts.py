"""What the paper on diffeomorphic mesh deformation claims, and what proofs and exact counts find.

Only the paper's abstract and code were read; its tables are on MRI data that cannot be had here. The losses are
compared on generated folded surfaces, and on the average cortex (white to pial), of which every vertex's true partner
is known.
"""

import json

import numpy as np

from workbench import data
from workbench.verdicts import Claim, Numbers, Rule, above, at_least, at_most, below

LOSSES, CARRIED, NOISE, FIELDS, CORTEX, RULES, CORTEX_RULES = (
    f"shapes/surfaces_{name}.nc" for name in ("losses", "carried", "noise", "fields", "cortex", "rules", "rules_cortex")
)


def proved() -> Numbers:
    """Read the bounds of every run of the study."""
    studies = [data.result(name) for name in (LOSSES, FIELDS, CORTEX)]
    rho = np.concatenate([ds.rho.values.ravel() for ds in studies])
    low = np.concatenate([ds.det_low.values.ravel() for ds in studies])
    return {"runs": rho.size, "rho": float(rho.max()), "low": float(low.min())}


def carried() -> Numbers:
    """Read the crossings that a certified map carries into a mesh, and those of the trained runs."""
    ds = data.result(CARRIED)
    return {
        "pairs": int(ds.after.max()),
        "rho": float(ds.rho),
        "finest": int(ds.after[-1]),
        "trained": int(max(data.result(name).crossings.max() for name in (LOSSES, CORTEX))),
    }


def _against_chamfer(loss: str, studies: tuple[str, ...] = (LOSSES,)) -> Numbers:
    """Return the ratios of a loss to Chamfer at equal time, means over runs: the worst and best over sizes."""
    found = [data.result(study).isel(pair=0, field=0) for study in studies]
    sizes = np.concatenate([ds["size"].values for ds in found])
    runs = min(ds.sizes["run"] for ds in found)
    numbers: dict[str, float] = {"runs": runs, "least": int(sizes.min()), "most": int(sizes.max())}
    for name in ("assd", "hd90", "vertex_error"):
        means = [ds[name].mean("run") for ds in found]
        ratio = np.concatenate([(mean.sel(loss=loss) / mean.sel(loss="chamfer")).values for mean in means])
        numbers[f"{name}_least"], numbers[f"{name}_most"] = float(ratio.min()), float(ratio.max())
    return numbers


def varifolds() -> Numbers:
    """Read the sliced distance of varifolds against Chamfer."""
    return _against_chamfer("varifold")


def on_the_cortex() -> Numbers:
    """Read the same on the average cortex."""
    return _against_chamfer("varifold", (CORTEX,))


def samples() -> Numbers:
    """Read the sliced distance of samples against Chamfer."""
    return _against_chamfer("samples")


def noise() -> Numbers:
    """Read how far samples are from the exact distance, and how far a finer mesh is."""
    ds = data.result(NOISE)
    exact = float(ds.exact)
    largest = int(ds.samples.max())
    return {
        "cut": float(np.abs(ds.finer / exact - 1).max()),
        "error": float(np.abs(ds.sampled.sel(samples=largest) / exact - 1).mean()),
        "largest": largest,
        "residual": float(ds.residual),
    }


def rules() -> Numbers:
    """Read how much more random, quasi-random and orthogonal directions err than the rules of E6, at equal numbers."""
    studies = [data.result(name) for name in (RULES, CORTEX_RULES)]
    numbers: dict[str, float] = {"draws": min(json.loads(ds.attrs["parameters"])["draws"] for ds in studies)}
    for other, short in (("monte-carlo", "random"), ("sobol", "quasi"), ("orthogonal", "blocks")):
        ratios = []
        for ds in studies:
            for rule, count in (("roots-5", 36), ("roots-7", 63), ("roots-5", 216)):
                at = ds.rmse.sel(directions=count)
                ratios.append((at.sel(rule=other) / at.sel(rule=rule)).values.ravel())
        together = np.concatenate(ratios)
        numbers[f"{short}_least"], numbers[f"{short}_most"] = float(together.min()), float(together.max())
    return numbers


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "The deformation is a diffeomorphism of space.",
        proved,
        "In {runs} runs every step has a proved ρ ≤ {rho:.2f}; volumes keep at least {low:.0e} of themselves.",
        Rule(below("rho", 1)),
        "shapes.compare_losses()",
        {"rho": "the largest proved bound"},
    ),
    Claim(
        "(What “diffeomorphic” is taken to promise.) So the mesh that it carries does not cross itself.",
        carried,
        "A certified map with ρ = {rho:.3f} carries a mesh with {pairs} crossing pairs ({finest} once its large "
        "triangle is split); the trained runs have at most {trained}; all counted exactly.",
        Rule(at_most("pairs", 0)),
        "shapes.carried_crossings()",
        {"pairs": "crossing pairs after a certified map"},
    ),
    Claim(
        "Sliced Wasserstein on varifolds is a better loss than Chamfer.",
        varifolds,
        "At equal time, {least} to {most:,} vertices, over {runs} runs or more, on meshes with the same faces (which "
        "helps what sees faces): ASSD {assd_least:.2f}–{assd_most:.2f} times Chamfer's, HD90 {hd90_least:.2f}–"
        "{hd90_most:.2f}, distance to the true partners {vertex_error_least:.2f}–{vertex_error_most:.2f}.",
        Rule(
            below("assd_most", 1) & below("vertex_error_most", 1),
            partly=below("assd_least", 1) | below("vertex_error_most", 1),
        ),
        "shapes.compare_losses()",
        {
            "assd_most": "the worst ratio of ASSD",
            "assd_least": "the best ratio of ASSD",
            "vertex_error_most": "the worst ratio to the true partners",
        },
    ),
    Claim(
        "… also on a cortical surface.",
        on_the_cortex,
        "White to pial surface of the average brain, {least} to {most:,} vertices, equal time, over {runs} runs: ASSD "
        "{assd_least:.2f}–{assd_most:.2f} times Chamfer's, HD90 {hd90_least:.2f}–{hd90_most:.2f}, distance to the true "
        "partners {vertex_error_least:.2f}–{vertex_error_most:.2f}.",
        Rule(
            below("assd_most", 1) & below("vertex_error_most", 1),
            partly=below("assd_least", 1) | below("vertex_error_most", 1),
        ),
        "shapes.compare_losses(pairs=('cortex',), sizes=(642, 2562))",
        {
            "assd_most": "the worst ratio of ASSD",
            "assd_least": "the best ratio of ASSD",
            "vertex_error_most": "the worst ratio to the true partners",
        },
    ),
    Claim(
        "Sliced Wasserstein on samples of the surfaces is, too.",
        samples,
        "At equal time: ASSD {assd_least:.2f}–{assd_most:.2f} times Chamfer's, HD90 {hd90_least:.2f}–{hd90_most:.2f}.",
        Rule(below("assd_most", 1), partly=below("assd_least", 1)),
        "shapes.compare_losses()",
        {"assd_most": "the worst ratio of ASSD", "assd_least": "the best ratio of ASSD"},
    ),
    Claim(
        "(Not in the paper.) Without samples the sliced W₁ of two surfaces is exact: remeshing does not change it.",
        noise,
        "Cutting every face into 16 and 64 changes it by {cut:.0e}; {largest:,} points miss it by {error:.1%}.",
        Rule(at_most("cut", 1e-9) & above("error", "cut"), settled=at_least("largest", 1000)),
        "shapes.sampling_noise()",
        {"cut": "the largest relative change", "error": "the mean error of samples", "largest": "points"},
    ),
    Claim(
        "(Not in the paper.) For varifolds the lines of E6, exact to degree 5 and 7 on S⁵, err less than as many "
        "random, quasi-random or orthogonal directions.",
        rules,
        "On a folded surface and on the cortex, 36, 63 and 216 directions, over {draws} draws: random directions err "
        "{random_least:.1f}–{random_most:.0f} times as much, Sobol' points {quasi_least:.1f}–{quasi_most:.0f}, "
        "orthogonal blocks {blocks_least:.1f}–{blocks_most:.0f}.",
        Rule(
            above("random_least", 1) & above("quasi_least", 1) & above("blocks_least", 1),
            partly=above("random_least", 1) & above("quasi_least", 1),
            settled=at_least("draws", 16),
        ),
        "shapes.rule_errors()",
        {
            "random_least": "the least ratio to random directions",
            "quasi_least": "the least ratio to quasi-random ones",
            "blocks_least": "the least ratio to orthogonal blocks",
            "draws": "draws of each",
        },
    ),
)
