"""Write the page of all file formats, docs/file-formats.md: ``python docs/make_file_formats.py``.

Endings are those of the readers' own tables. Each format has an example file in docs/examples (``--examples`` makes
those that are not there), and beside it stands what its reader says of it; a test reads them all again.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import example_files as made
import numpy as np

from workbench import clouds, fields, fisher, flows, games, metrics, results, shapes, steps, sweeps
from workbench.clouds import columns, pictures
from workbench.clouds import files as cloud_files
from workbench.fields.downscaling import own as rain_files
from workbench.fisher.entropic import files as field_files
from workbench.fisher.regulators import files as regulator_files
from workbench.flows.bits import own_runs
from workbench.flows.covariances import files as covariance_files
from workbench.metrics.embeddings import files as embedding_files
from workbench.metrics.spectra import files as network_files
from workbench.shapes.correspondences import landmarks as landmark_files
from workbench.shapes.defects import files as atom_files
from workbench.shapes.shadow import files as planar_files
from workbench.shapes.surfaces import report as surface_files
from workbench.steps import files as sample_files

HERE = Path(__file__).resolve().parent
PAGE, EXAMPLES = HERE / "file-formats.md", HERE / "examples"
ONE = {
    "csv": "as .csv",
    "jpg": "as .jpeg",
    "pth": "as .pt",
    "bin": "as .pt",
    "json": "as .geojson",
    "poscar": "as .vasp",
}
NEEDS = {"parquet": "needs the package pyarrow", "onnx": "needs the package onnx"}


class Format(NamedTuple):
    """What is brought, how it is read, and what the reader says of it."""

    what: str
    call: str  # as a person writes it
    folder: str
    endings: Sequence[str]  # of the reader's own table
    layout: str
    examples: Mapping[str, made.Maker]
    read: Callable[[Path], str]


def sentence(reader: Callable[..., Any], **options: Any) -> Callable[[Path], str]:
    """Return what reads a path and gives back the sentence that the reader says."""
    return lambda path: reader(path, **options).sentence


def array(reader: Callable[..., Any]) -> Callable[[Path], str]:
    """Return the same for a reader that gives back an array and its sentence."""
    return lambda path: reader(path)[1]


def _xyz(path: Path) -> str:
    return f"one molecule, {steps.read_xyz(path).formula}"


def _mlp(path: Path) -> str:
    return " → ".join(str(layer) for layer in steps.read_mlp(path))


def _certificate(path: Path) -> str:
    return games.verify(path).message


def _plan(path: Path) -> str:
    return str(games.robust.verify(path.read_text()))


def _items(path: Path) -> str:
    text = path.read_text()
    robust = games.robust
    found = robust.read_csv(text, capacity=15, budget=1) if path.suffix == ".csv" else robust.read_instance(text)
    return f"{len(found.weight)} items, capacity {found.capacity}, budget {found.budget:g}"


def _study(path: Path) -> str:
    found = sweeps.read_study(path)
    return f"{found.title}"


def _result(path: Path) -> str:
    ds = results.open(path)
    return f"made by {ds.attrs['function']}, {len(ds.data_vars)} variables"


def _toy() -> bytes:
    return games.certify(games.GALLERY["toy"]().game).to_json().encode()


def _solved() -> bytes:
    return games.robust.solve(games.robust.read_csv(_ITEMS().decode(), capacity=15, budget=1)).certificate.encode()


def _ladder() -> bytes:
    return results.to_bytes(games.ladder("toy"))


_ITEMS = made.table(
    "weight profit loss repair outsourcing", [[8, 40, 20, 20, 48], [5, 20, 9, 4, 25], [7, 30, 10, 9, 33]]
)
_PUBLISHED = made.text("3 15 1", "40 20 20 8 48", "20 9 4 5 25", "30 10 9 7 33")
_PLANE = made.tables("x y", made.SQUARE)
_LABELLED = made.LABELLED
_POPULATIONS = [[k % 4, k // 4 % 2, k, k * k % 11] for k in range(80)]
LAYERS = {"first.weight": (24, 20), "first.bias": (24,)}

FORMATS: tuple[Format, ...] = (
    Format(
        "a point cloud, or a mesh to sample", "clouds.read_cloud(path)", "cloud", cloud_files.FORMATS,
        "a row a point; columns x, y, z by name or all; an array (n, d); of an archive the points, weights, faces",
        {
            **made.meshes(), **made.tables("x y z", made.CORNERS), "mine.xyz": made.text("0 0 0", "1 0 0", "0 1 0"),
            "mine.npy": made.npy(made.CORNERS),
            "mine.npz": made.npz(points=made.CORNERS, weights=np.array([1.0, 1, 1, 2])),
        },
        sentence(clouds.read_cloud),
    ),
    Format(
        "a picture", "clouds.read_picture(path)", "picture", [name.lower() for name in pictures.FORMATS],
        "of an animation the first picture; turned as the camera says",
        {f"mine.{kind.lower()}": made.picture(kind) for kind in pictures.FORMATS},
        sentence(clouds.read_picture),
    ),
    Format(
        "covariances, or trials of many channels", "flows.read_covariances(path)", "covariances",
        covariance_files.FORMATS,
        "matrices (N, n, n) or trials (N, channels, time); a table of matrices one below the other, or one recording",
        {
            **made.tables("a b", np.concatenate([made.MATRIX, np.eye(2)])),
            "mine.npy": made.npy(np.stack([made.MATRIX, np.eye(2)])),
            "mine.npz": made.npz(covariances=np.stack([made.MATRIX, np.eye(2)]), labels=np.array([0, 1])),
        },
        sentence(flows.read_covariances),
    ),
    Format(
        "runs of a model", "flows.read_runs(path)", "runs", [*own_runs.TABLES, ".nc"],
        "a run in each column; NetCDF-4 with a dimension of runs (run, member, …)",
        {
            **made.tables("a b", [[1, 2], [3, 4], [5, 7]]),
            "mine.nc": made.netcdf("t", "run time", [[1.0, 3, 5], [2, 4, 7]]),
        },
        array(flows.read_runs),
    ),
    Format(
        "points of the plane, or roads", "shapes.read_planar(path)", "planar", planar_files.FORMATS,
        "columns x and y, or longitude and latitude; GeoJSON points and lines",
        {**_PLANE, "mine.geojson": made.text(json.dumps(made.ROADS))}, sentence(shapes.read_planar),
    ),
    Format(
        "atoms", "shapes.read_atoms(path)", "atoms", atom_files.FORMATS,
        "x, y and perhaps z; what is not a table or a plain XYZ needs the extra [chem]",
        {
            **_PLANE, "mine.npy": made.npy(made.SQUARE),
            **{f"mine.{kind}": made.crystal(kind) for kind in atom_files.BY_ASE if kind != "poscar"},
        },
        sentence(shapes.read_atoms),
    ),
    Format(
        "a surface to carry or to match", "shapes.load_surface(path), .read_mesh(path)", "surface",
        surface_files.FORMATS,
        "triangles or polygons, of GIFTI a pointset and its triangles; vertices at one place become one to be carried",
        {**made.meshes(), "mine.npz": made.npz(points=made.CORNERS, faces=made.FACES)},
        lambda path: str(shapes.load_surface(path)),
    ),
    Format(
        "vertices that belong together", "shapes.read_landmarks(path)", "landmarks", landmark_files.FORMATS,
        "rows of a vertex of X and its partner on Y, counted from 0", made.tables("x y", [[3, 17], [250, 4]]),
        lambda path: f"{len(shapes.read_landmarks(path))} pairs",
    ),
    Format(
        "labels and scores", "metrics.read_rankings(path)", "rankings", columns.FORMATS,
        "a row of names; a column label (0 and 1, or two words), perhaps group and weight; all others are scores",
        made.tables("label ours theirs", made.SCORED, ";"), sentence(metrics.read_rankings),
    ),
    Format(
        "embeddings with classes", "metrics.read_embeddings(path)", "embeddings", embedding_files.FORMATS,
        "a row of names and a column of classes; arrays features and labels; or the class in the last column",
        {
            **made.tables("u v kind", _LABELLED, ";"),
            "mine.npy": made.npy([[1.0, 2, 0], [2, 1, 1], [3, 2, 0], [1, 1, 1]]),
            "mine.npz": made.npz(features=made.SQUARE, labels=np.arange(16) % 2),
        },
        sentence(metrics.read_embeddings),
    ),
    Format(
        "a world with rewards", "metrics.read_mdp(path)", "world", ("npz", "json"),
        "transitions (S, A, S), reward_1, reward_2, discount; or lists, an entry a transition; or Gymnasium's table",
        {
            "mine.npz": made.npz(**{key: np.array(value) for key, value in made.WORLD.items()}),
            "mine.json": made.text(json.dumps(made.GYMNASIUM)),
        },
        sentence(metrics.read_mdp),
    ),
    Format(
        "weights of a network", "metrics.read_network(path)", "network", network_files.FORMATS,
        "a matrix for each layer; state dicts are read without running what is in them",
        {
            "mine.safetensors": made.weights("safetensors", LAYERS),
            "mine.pt": made.weights("pt", LAYERS),
            "mine.npz": made.npz(first=made.LAYER),
            "mine.npy": made.npy(made.LAYER),
        },
        sentence(metrics.read_network),
    ),
    Format(
        "signals, a row each", "metrics.read_signals(path)", "signals", ("csv", "tsv", "txt", "npy", "npz"),
        "numbers, a row a signal",
        {
            **made.tables("a b c", made.CORNERS), "mine.npy": made.npy(made.CORNERS),
            "mine.npz": made.npz(x=made.CORNERS),
        },
        sentence(metrics.read_signals),
    ),
    Format(
        "populations at two times", "fields.read_populations(path)", "populations", [*columns.FORMATS, "npz"],
        "a row a point: columns population and time, perhaps particle; all others are features",
        {
            **made.tables("population time u v", _POPULATIONS, ";"),
            "mine.npz": made.npz(
                population=np.array(_POPULATIONS)[:, 0], time=np.array(_POPULATIONS)[:, 1],
                features=np.array(_POPULATIONS)[:, 2:],
            ),
        },
        sentence(fields.read_populations),
    ),
    Format(
        "daily rain", "fields.read_rain(path)", "rain", [*rain_files.TABLES, ".nc"],
        "a day in each row, a site in each column, in mm; NetCDF-4 whose first dimension is time",
        {**made.tables("rain", made.RAIN), "mine.nc": made.netcdf("rain", "time site", 1.0 * np.array(made.RAIN))},
        array(fields.read_rain),
    ),
    Format(
        "a density, or positions", "fisher.read_field(path)", "density", field_files.FORMATS,
        "an array of two or three dimensions; a picture; columns of positions in a periodic box",
        {
            **_PLANE, "mine.npy": made.npy(1 + np.add.outer(np.arange(8.0), np.arange(8.0)) % 5),
            "mine.npz": made.npz(density=1 + np.add.outer(np.arange(8.0), np.arange(8.0)) % 5),
            **{f"mine.{kind}": made.picture(kind.upper()) for kind in ("png", "jpeg", "webp", "bmp")},
        },
        sentence(fisher.read_field),
    ),
    Format(
        "a Fisher matrix, or a graph with couplings", "fisher.read_regulator(path)", "regulator",
        regulator_files.FORMATS,
        "a symmetric matrix, or edges: site, site and perhaps coupling",
        {
            **made.tables("a b c", [[0, 1, 0.5], [1, 2, 0.5], [2, 0, 0.5]]), "mine.npy": made.npy(made.MATRIX),
            "mine.npz": made.npz(F=made.MATRIX),
        },
        sentence(fisher.read_regulator),
    ),
    Format(
        "labelled samples", "steps.read_data(path)", "samples", [*sample_files.TABLES, "npz"],
        "a row a sample; the class in the column label, class, target or y, or in the last",
        {
            **made.tables("width height label", _LABELLED, ";"),
            "mine.npz": made.npz(x=made.SQUARE, y=np.arange(16) % 2),
        },
        sentence(steps.read_data),
    ),
    Format(
        "weights of a perceptron", "steps.read_mlp(path)", "perceptron", ("safetensors",),
        "….weight (out, in) and ….bias of each layer",
        {
            "mine.safetensors": made.weights(
                "safetensors", {"0.weight": (3, 2), "0.bias": (3,), "2.weight": (2, 3), "2.bias": (2,)}
            )
        },
        _mlp,
    ),
    Format(
        "a molecule", "steps.read_xyz(path)", "molecule", ("xyz",), "a count, a line of words, symbol x y z in Å",
        {"mine.xyz": made.text("3", "water", "O 0 0 0.12", "H 0 0.76 -0.47", "H 0 -0.76 -0.47")}, _xyz,
    ),
    Format(
        "a certificate of a game", "games.verify(path)", "certificate", ("json",),
        "what `certificate.save` writes; see [certify your game](certify-your-game.md)", {"mine.json": _toy},
        _certificate,
    ),
    Format(
        "items to choose from", "games.robust.read_csv(text, capacity=15, budget=1), .read_instance(text)", "items",
        ("csv", "txt"), "columns weight, profit, loss, repair, outsourcing; or a published instance: n C Γ, then rows",
        {"mine.csv": _ITEMS, "mine.txt": _PUBLISHED}, _items,
    ),
    Format(
        "a certificate of a plan", "games.robust.verify(text)", "plan", ("json",),
        "see [decide against the worst case](decide-against-the-worst-case.md)", {"mine.json": _solved}, _plan,
    ),
    Format(
        "a study", "sweeps.read_study(path)", "study", ("toml",),
        "an experiment and a grid; see [run a size sweep](sweeps.md)", {"mine.toml": made.text(made.STUDY.rstrip())},
        _study,
    ),
    Format(
        "a result", "results.open(path)", "result", ("nc",),
        "what `results.save`, a download and the command line write; a folder .zarr as well", {"mine.nc": _ladder},
        _result,
    ),
)  # fmt: skip


def path_of(one: Format, name: str) -> Path:
    """Return where an example lies."""
    return EXAMPLES / one.folder / name


def ending_of(name: str) -> str:
    """Return what follows the first dot of an example's name.

    >>> ending_of("mine.gii.gz")
    'gii.gz'
    """
    return name.partition(".")[2]


def text() -> str:
    """Return the page."""
    return HEADING + "".join(section(one) for one in FORMATS) + ENDING


HEADING = """# All file formats

Made by `python docs/make_file_formats.py` from the readers' own tables. Each example can be downloaded, opened in an
editor, and read: what its reader says of it stands beside it. The pages take the same files, up to 64 MiB, and read
them in a process of their own that can be ended. No code in a file is run; of what torch
has saved only the numbers of a state dict are read.
"""
ENDING = """
Archives (.npz) name their arrays as said above; the only array of an archive is taken under any name. Tables may be
separated by commas, semicolons, tabs or spaces, have a decimal comma, and are read as the sentence says.
"""


def section(one: Format) -> str:
    """Return the part of the page about one format: its examples are read."""
    rows = [
        f"| [{one.folder}/{name}](examples/{one.folder}/{name}) | {one.read(path_of(one, name))} |"
        for name in one.examples
    ]
    others = [f"`.{ending}` ({why})" for ending, why in without_example(one).items()]
    told = f" Also {', '.join(others)}." if others else ""
    head = f"\n## {one.what[0].upper()}{one.what[1:]}\n\n`{one.call}`: {one.layout}.{told}\n\n"
    return head + "| example | its reader says |\n|---|---|\n" + "\n".join(rows).replace("\n\n", "\n") + "\n"


def without_example(one: Format) -> dict[str, str]:
    """Return the endings that a reader takes and that have no example, each with the reason; fails if there is none."""
    there = {ending_of(name) for name in one.examples}
    left = [ending.lstrip(".") for ending in one.endings if ending.lstrip(".") not in there]
    if one.folder == "mesh":
        return dict.fromkeys(left, "as for a surface to carry")
    return {ending: (ONE | NEEDS)[ending] for ending in left}


def make_examples() -> None:
    """Write the examples that are not there."""
    for one in FORMATS:
        for name, make in one.examples.items():
            path = path_of(one, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                path.write_bytes(make())


if __name__ == "__main__":
    if "--examples" in sys.argv:
        make_examples()
    PAGE.write_text(text())
