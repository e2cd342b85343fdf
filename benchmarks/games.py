"""Contraction certificates: weights against an SDP, games with a million players, exact checks, sharp steps, boxes.

    python benchmarks/games.py [--quick] [--write]

Ratios come from one run on one machine; small times are the best of interleaved rounds in CPU time.
"""

import argparse
import os
import platform
import resource
import time
import warnings
from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from workbench import games
from workbench.games.certificates.boxes import leaf_bounds
from workbench.games.gallery.finite import two_state_game
from workbench.games.small_gain import steps
from workbench.games.small_gain.weights import lipschitz

HERE = Path(__file__).resolve().parent
Row = tuple[str, str]


def best_cpu(action: Callable[[], object], rounds: int) -> float:
    """Return the smallest CPU time of a few calls, in seconds."""
    times = []
    for _ in range(rounds):
        started = time.process_time()
        action()
        times.append(time.process_time() - started)
    return min(times)


def dense_game(players: int, seed: int) -> games.Bounds:
    """A random dense game that can be certified."""
    rng = np.random.default_rng(seed)
    couplings = 10 ** rng.uniform(-1, 1, (players, players))
    np.fill_diagonal(couplings, 0)
    couplings *= 0.7 / np.max(np.abs(np.linalg.eigvals(couplings)))
    return games.Bounds(np.ones(players), rng.uniform(1, 3, players), couplings)


def sdp_bisection(bounds: games.Bounds, accuracy: float = 1e-6) -> float:
    """What one would do without M-matrix theory: bisect on alpha, one LMI in w each time (cvxpy, Clarabel)."""
    import cvxpy as cp

    n = bounds.players
    low, high = 0.0, float(bounds.mu.min())
    while high - low > accuracy:
        alpha = 0.5 * (low + high)
        w, slack = cp.Variable(n), cp.Variable()
        shifted = np.diag(bounds.mu - alpha) - bounds.L
        product = cp.diag(w) @ shifted
        problem = cp.Problem(cp.Maximize(slack), [product + product.T >> slack * np.eye(n), w >= 1e-9, cp.sum(w) == n])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            problem.solve(solver=cp.CLARABEL)
        low, high = (alpha, high) if slack.value is not None and slack.value > 0 else (low, alpha)
    return low


def weights_against_sdp(quick: bool) -> list[Row]:
    """Perron weights next to the bisection, with the difference of the margins found."""
    try:
        import cvxpy  # noqa: F401
    except ImportError:
        return [("weights against an SDP bisection", "skipped: cvxpy is not installed")]
    rows = []
    for players in (5, 20) if quick else (5, 20, 40):
        bounds = dense_game(players, players)
        ours = best_cpu(lambda b=bounds: games.perron(b), 20)
        theirs = best_cpu(lambda b=bounds: sdp_bisection(b), 1)
        gap = games.perron(bounds).tau - sdp_bisection(bounds)
        rows.append(
            (
                f"weights, N = {players}: Perron against SDP bisection to 1e-6",
                f"{1e3 * ours:.2f} ms against {theirs:.2f} s: {theirs / ours:,.0f} times; margins differ by {gap:.1e}",
            )
        )
    return rows


def sparse_game(players: int, degree: int = 5, seed: int = 0) -> games.Bounds:
    """A random sparse game: ``degree`` couplings a player, in one direction each."""
    rng = np.random.default_rng(seed)
    rows, columns = rng.integers(0, players, (2, players * degree))
    keep = rows != columns
    values = 0.6 / degree * rng.uniform(0.5, 1.5, rows.size)
    couplings = sp.csr_array((values[keep], (rows[keep], columns[keep])), shape=(players, players))
    mu = rng.uniform(1, 2, players)
    return games.Bounds(mu, 2 * mu, couplings)


def large_games(quick: bool) -> list[Row]:
    """Certify sparse games (the exact check included), then check them once more alone."""
    rows = []
    for players in (10**4, 10**5) if quick else (10**4, 10**5, 10**6):
        bounds = sparse_game(players)
        started, cpu = time.perf_counter(), time.process_time()
        certificate = games.certify(bounds)
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
        started = time.perf_counter()
        valid = games.check(certificate)
        checked = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        rows.append(
            (
                f"sparse game, {players:,} players, {bounds.L.nnz:,} couplings",
                f"{certificate.status.value} in {seconds:.1f} s ({cpu:.1f} s CPU), margin {certificate.margin:.4f} of "
                f"{certificate.tau:.4f}; exact check alone {checked:.2f} s ({valid}); peak {peak:.1f} GiB so far",
            )
        )
    return rows


def sharp_against_paper(quick: bool) -> list[Row]:
    """Steps on random games, and the number of random members of each class that contradict a certificate."""
    rng = np.random.default_rng(5)
    first, sharp, violations, certified = [], [], 0, 0
    for _ in range(300 if quick else 3000):
        n = int(rng.integers(2, 9))
        mu = 10 ** rng.uniform(-0.5, 0.5, n)
        couplings = 10 ** rng.uniform(-2, 0.5, (n, n)) / n
        np.fill_diagonal(couplings, 0)
        bounds = games.Bounds(mu, mu * rng.uniform(1, 3, n), couplings)
        certificate = games.certify(bounds)
        if not certificate.certified:
            continue
        certified += 1
        first.append(certificate.step_h0 / certificate.step_paper)
        sharp.append(certificate.step_sharp / certificate.step_paper)
        violations += contradictions(bounds, certificate, rng)
    return [
        (
            f"h0 and sharp step over the paper's 2 alpha/beta^2, {certified} certified random games",
            f"median {np.median(first):.1f} and {np.median(sharp):.1f} times (largest {np.max(sharp):,.0f})",
        ),
        ("random members of those games that contradict margin, h0 factor or sharp step", f"{violations}"),
    ]


def contradictions(bounds: games.Bounds, certificate: games.Certificate, rng: np.random.Generator) -> int:
    """Count what a random signed Jacobian within the bounds contradicts."""
    n = bounds.players
    j = bounds.L * rng.uniform(-1, 1, (n, n))
    np.fill_diagonal(j, rng.uniform(bounds.mu, bounds.ell))
    root = np.sqrt(certificate.weights)
    scaled = root[:, None] * j / root
    u = certificate.sharp_vector
    wrong = np.linalg.eigvalsh(0.5 * (scaled + scaled.T))[0] < certificate.margin - 1e-9
    h = certificate.step_h0 * rng.random()
    wrong += np.linalg.norm(np.eye(n) - h * scaled, 2) > certificate.factor(h) + 1e-9
    wrong += np.max(np.abs(np.eye(n) - certificate.step_sharp * j) @ u / u) >= 1
    return int(wrong)


def boxes_per_second(quick: bool) -> list[Row]:
    """Interval enclosures in bulk, and whole certificates with the ball-arithmetic verification."""
    rows = []
    examples = [("isoelastic-cournot", {}), ("logit-bertrand", {}), ("scalar-lq", {})]
    for name, options in examples:
        example = games.GALLERY[name](**options)
        rng = np.random.default_rng(0)
        lower = example.region.lower + 0.9 * example.region.width * rng.random((20_000, 2))
        upper = lower + 0.01 * example.region.width
        seconds = best_cpu(lambda e=example, a=lower, b=upper: leaf_bounds(e.game, a, b), 5)
        started = time.perf_counter()
        certificate = games.certify(example.game, example.region)
        whole = time.perf_counter() - started
        leaves = certificate.tree.count(-1)
        checking = best_cpu(lambda c=certificate: games.check(c), 3)
        rows.append(
            (
                f"boxes: {name}",
                f"{20_000 / seconds:,.0f} interval boxes/s; certificate with {leaves:,} leaves in {whole:.2f} s, "
                f"margin {certificate.margin:.4f}; checker {leaves / checking:,.0f} leaves/s",
            )
        )
    if not quick:
        game = two_state_game().formulas("natural")
        started = time.perf_counter()
        cube = games.Box.around(np.zeros(4), 0.2)
        certificate = games.certify(game, cube, 0.1, method="leafwise", max_boxes=60_000, seconds=300)
        rows.append(
            (
                "boxes: two-state Markov game, natural gradient, the paper's cube, margin .1 asked for",
                f"{certificate.status.value}, margin {certificate.margin:.4f}, {certificate.tree.count(-1):,} leaves, "
                f"{time.perf_counter() - started:.0f} s",
            )
        )
    return rows


def papers_numbers(quick: bool) -> list[Row]:
    """The paper's toy: its step, and ours."""
    toy = games.GALLERY["toy"]().game.bounds()
    best = games.perron(toy)
    beta = lipschitz(toy, best.w)
    sharp = steps.sharp_step(toy, best.z).step
    paper = steps.paper_step(best.tau, beta)
    factor = steps.best_paper_factor(best.tau, beta)
    return [
        (
            "the paper's toy: steps (paper, h0, sharp)",
            f"{paper:.4f}, {steps.h0(toy):.4f}, {sharp:.6f}; best factor {factor:.4f} against {1 - best.tau:.4f} at h0",
        )
    ]


def machine() -> str:
    """Describe where this ran."""
    names = ("numpy", "scipy", "python-flint", "cvxpy", "clarabel")
    versions = []
    for name in names:
        try:
            versions.append(f"{name} {version(name)}")
        except Exception:
            versions.append(f"{name} absent")
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {', '.join(versions)}"


def main() -> None:
    """Run everything, print the table and store it on request."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small sizes only")
    parser.add_argument("--write", action="store_true", help="store the table in benchmarks/results/games.md")
    options = parser.parse_args()
    rows: list[Row] = []
    for part in (papers_numbers, weights_against_sdp, sharp_against_paper, boxes_per_second, large_games):
        rows += part(options.quick)
        print(f"{part.__name__} done", flush=True)
    table = "\n".join(["| what | measured |", "|---|---|", *(f"| {what} | {measured} |" for what, measured in rows)])
    text = f"# Games: side by side\n\n{date.today()}, {machine()}.\n\n{table}\n"
    print(text)
    if options.write:
        folder = HERE / "results"
        folder.mkdir(exist_ok=True)
        (folder / "games.md").write_text(text)


if __name__ == "__main__":
    main()
