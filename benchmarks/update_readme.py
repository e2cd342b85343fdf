"""Copy chosen tables of benchmarks/results into README.md, between its two marks: `python benchmarks/update_readme.py`.

A test keeps the README equal to what this script writes, so no number there is typed by hand.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- benchmarks -->", "<!-- /benchmarks -->"
CHOSEN = (
    ("flows", "Value and gradient", "**Flows**: value and gradient, one thread, L = 100; ns per point and projection"),
    ("flows", "RMSE of SW", "**Flows**: RMSE of SW₂² ÷ Monte Carlo at L = 100 (in brackets: at equal time)"),
    ("fisher", "Exact curvature", "**Fisher**: exact curvature at the critical point beside one FFT of the same size"),
    ("fisher_card", "The curvature", "**Fisher**: the same on an H100"),
    ("steps", "Exact radius", "**Steps**: exact radius of one sample beside companion-matrix eigenvalues"),
    ("steps_guard", "The guard", "**Steps**: a guarded training step over a bare one, CPU time of one thread"),
    ("games", "Games", "**Games**"),
    ("games_robust", "Random", "**Games**: two-stage knapsacks, 60 of each class and size, at most 10 s each"),
    ("games_robust", "Published", "**Games**: published two-stage knapsacks, at most 10 s each against three hours"),
    ("flows_exact", "Exact W₂²", "**Flows**: exact W₂² with a proof, CPU seconds of one thread"),
    ("flows_directed", "The largest slice", "**Flows**: the largest slice, certified, beside the best of random ones"),
    ("flows_covariances", "Bures–Wasserstein", "**Flows**: Bures–Wasserstein means, certified, beside fixed points"),
    ("flows_bits", "1,000,000 numbers", "**Flows**: rounding to ten bits"),
    ("metrics_rankings", "AUROC and AP", "**Metrics**: both scores of a ranking"),
    ("metrics_rewards", "Worst-case regret", "**Metrics**: worst-case regret with its certificate, beside HiGHS"),
    ("metrics_signals", "All distances", "**Metrics**: information-estimation distances of all pairs of points"),
    ("metrics_spectra", "The scan", "**Metrics**: the fit of a spectrum's tail, equal values"),
    ("metrics_embeddings", "R@1 and MAP@R", "**Metrics**: retrieval scores"),
    ("shapes_correspondences", "Correspondences", "**Shapes**: matching two surfaces, equal answers"),
    ("shapes_defects", "Defects", "**Shapes**: Burgers vectors as integers, proved, beside OVITO's DXA"),
    ("shapes_fits", "Fits", "**Shapes**: splines through many samples"),
    ("shapes_surfaces", "Surfaces", "**Shapes**: crossings of meshes, counted exactly"),
    ("fields_core", "Core", "**Fields**: the exact field of a flow"),
    ("fields_latent", "Latent", "**Fields**: a flow behind principal axes"),
)
"""Report, the heading of its table, caption. A report that is not there yet is left out."""


def table(text: str, heading: str) -> str:
    """Return the first table under the heading that begins with ``heading``."""
    lines = text.splitlines()
    start = next(k for k, line in enumerate(lines) if line.lstrip("# ").startswith(heading) and line.startswith("#"))
    first = next(k for k in range(start, len(lines)) if lines[k].startswith("|"))
    rows = []
    for line in lines[first:]:
        if not line.startswith("|"):
            break
        rows.append(line)
    return "\n".join(rows)


def chosen_tables() -> str:
    """Return all chosen tables with their captions."""
    parts = []
    for name, heading, caption in CHOSEN:
        path = ROOT / "benchmarks" / "results" / f"{name}.md"
        if not path.exists():
            continue
        text = path.read_text()
        parts.append(f"{caption} ([all of it](benchmarks/results/{name}.md)):\n\n{table(text, heading)}")
    return "\n\n".join(parts)


def updated(readme: str) -> str:
    """Return the README with fresh tables."""
    before, rest = readme.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{chosen_tables()}\n{END}{after}"


if __name__ == "__main__":
    path = ROOT / "README.md"
    path.write_text(updated(path.read_text()))
