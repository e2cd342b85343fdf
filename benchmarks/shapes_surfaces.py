"""Exact crossings next to PyMeshLab, exact sliced distances next to POT on samples: values first, then time as ratios.

    python benchmarks/shapes_surfaces.py [--quick] [--write]

The last table has the losses, value and gradient, beside the Chamfer distance in PyTorch. The rivals are installed in
an environment of the benchmark's own, which reads NumPy and SciPy from ours; all runs are in one process there, CPU
seconds, the best of interleaved rounds.
"""

import argparse
import os
import subprocess
import sys
import time

from report import finish, heading
from rivals import ONE_THREAD, environment

PACKAGES = ("pymeshlab==2025.7.post1", "POT==0.9.7.post1")


def best(actions: dict, rounds: int) -> tuple[dict, dict]:
    """Return the best CPU time of each action over rounds in which they take turns, and the values."""
    times, values = dict.fromkeys(actions, float("inf")), {}
    for _ in range(rounds):
        for name, action in actions.items():
            started = time.process_time()
            values[name] = action()
            times[name] = min(times[name], time.process_time() - started)
    return times, values


def by_pymeshlab(vertices, faces) -> int:
    """Return how many faces PyMeshLab selects as crossing others."""
    import pymeshlab

    meshes = pymeshlab.MeshSet()
    meshes.add_mesh(pymeshlab.Mesh(vertices, faces))
    meshes.compute_selection_by_self_intersections_per_face()
    return int(meshes.current_mesh().selected_face_number())


def crossings(sizes: list[int], rounds: int) -> list[str]:
    """Compare crossing faces: a sound surface, a torus through itself, and the mesh of the counter-example."""
    import numpy as np

    from workbench import shapes
    from workbench.shapes.surfaces.study import bump

    lid = shapes.surface("two-sheets")
    cases = {"two sheets, one bent": lid.moved_to(bump(lid.vertices))}
    for size in sizes:
        cases[f"walnut, {size:,} vertices"] = shapes.surface("walnut", size)
        cases[f"spindle torus, {size:,} vertices"] = shapes.surface("torus", size, ring=0.4, tube=0.5)
    rows = ["| mesh | crossing pairs (exact) | faces in them | PyMeshLab's faces | ours, ms | PyMeshLab ÷ ours |"]
    rows.append("|---" * 6 + "|")
    for name, mesh in cases.items():
        actions = {
            "own": lambda mesh=mesh: shapes.find_crossings(mesh),
            "rival": lambda mesh=mesh: by_pymeshlab(mesh.vertices, mesh.faces),
        }
        actions["own"]()
        taken, found = best(actions, rounds)
        pairs = found["own"].pairs
        cells = [name, f"{len(pairs):,}", f"{len(np.unique(pairs)):,}", f"{found['rival']:,}"]
        cells += [f"{1e3 * taken['own']:.1f}", f"{taken['rival'] / taken['own']:.2f}"]
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def distances(size: int, samples: list[int], rounds: int) -> list[str]:
    """Compare SW₁ along one fixed design: exact on the surfaces, and POT on samples of them."""
    import numpy as np
    import ot

    from workbench import shapes
    from workbench.clouds.files import sample_mesh
    from workbench.transport.designs import design_table
    from workbench.transport.surfaces import surface_lines

    a, b = shapes.surface("walnut", size), shapes.surface("walnut-outer", size)
    table = design_table(60)
    x, y = (a.vertices, a.faces), (b.vertices, b.faces)
    surface_lines(x, y, table)
    rng = np.random.default_rng(0)
    rows = [f"| SW₁, {size:,} vertices, 60 directions | value | time ÷ exact |", "|---|---|---|"]
    actions = {"exact": lambda: surface_lines(x, y, table).w1.mean()}
    for count in samples:
        points = [sample_mesh(*mesh, count, rng) for mesh in (x, y)]
        actions[f"POT, {count:,} points"] = lambda points=points: ot.sliced_wasserstein_distance(
            *points, projections=np.ascontiguousarray(table.T), p=1
        )
    taken, found = best(actions, rounds)
    rows += [f"| {name} | {float(found[name]):.5f} | {taken[name] / taken['exact']:.2f} |" for name in actions]
    return ["", *rows]


def losses(sizes: list[int], rounds: int) -> list[str]:
    """Compare a call of each loss, value and gradient, with Chamfer on as many points by PyTorch's full matrix."""
    import numpy as np
    import torch

    from workbench import shapes
    from workbench.shapes.surfaces.losses import LOSSES, SAMPLES, draw

    torch.set_num_threads(1)
    lines = ["", f"| value and gradient, ÷ Chamfer by k-d trees ({SAMPLES:,} points) | Chamfer, PyTorch | {{}} |"]
    for size in sizes:
        a, b = shapes.surface("walnut", size), shapes.surface("walnut-outer", size)
        rng = np.random.default_rng(0)
        ready = {name: LOSSES[name](b, 0.1) for name in LOSSES}

        def by_torch(a=a, b=b, rng=rng) -> float:
            vertices = torch.tensor(a.vertices, requires_grad=True)
            corners = [torch.tensor(part) for part in draw(a, SAMPLES, rng)]
            points = (vertices[torch.tensor(a.faces)[corners[0]]] * corners[1][:, :, None]).sum(1)
            faces, shares = draw(b, SAMPLES, rng)
            others = torch.tensor(np.einsum("nk,nki->ni", shares, b.corners[faces]))
            square = torch.cdist(points, others) ** 2
            loss = square.min(1).values.mean() + square.min(0).values.mean()
            loss.backward()
            return float(loss.detach())

        actions = {name: lambda one=one, a=a, rng=rng: one(a, rng)[0] for name, one in ready.items()}
        actions["torch"] = by_torch
        for action in actions.values():
            action()
        taken, _ = best(actions, rounds)
        others = [name for name in LOSSES if name != "chamfer"]
        if size == sizes[0]:
            lines[1] = lines[1].format(" | ".join(LOSSES[name].label for name in others))
            lines.append("|---" * (len(others) + 2) + "|")
        cells = [f"{taken[name] / taken['chamfer']:.2f}" for name in ("torch", *others)]
        lines.append(f"| {size:,} vertices ({1e3 * taken['chamfer']:.1f} ms) | {' | '.join(cells)} |")
    return lines


def main() -> None:
    """Run in the rivals' environment, or, called from ours, make it and go there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--write", action="store_true", help="store them in benchmarks/results/shapes_surfaces.md")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if not given.inside:
        python, notes = environment("surfaces", PACKAGES)
        print(*notes, sep="\n")
        call = [str(python), __file__, "--inside", *sys.argv[1:]]
        sys.exit(subprocess.run(call, check=False, env={**os.environ, **ONE_THREAD}).returncode)
    sizes, rounds = ([642], 2) if given.quick else ([642, 2562, 10242], 4)
    packages = ("numpy", "numba", "scipy", "torch", "pymeshlab", "POT")
    lines = heading("Surfaces", "python benchmarks/shapes_surfaces.py --write", packages)
    lines += crossings(sizes, rounds)
    lines += distances(sizes[-1], [3000, 10_000, 30_000], rounds)
    lines += losses(sizes, rounds)
    finish("shapes_surfaces", lines, write=given.write)


if __name__ == "__main__":
    main()
