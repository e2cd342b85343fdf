"""The spectrum of a layer that is too large for all its eigenvalues: the top by Lanczos, the rest as a density.

WᵀW is only ever multiplied, block by block of rows, in float64 whatever the weights are kept in. The largest
eigenvalues come from SciPy's ``eigsh`` and carry their residuals: some eigenvalue of WᵀW lies within ‖WᵀWv − λv‖ of
each. All that a tail fit needs are those above its threshold. The density is stochastic Lanczos quadrature (Ubaru,
Chen, Saad 2017): for a random sign vector v, the quadrature of its Lanczos matrix stands for vᵀf(WᵀW)v/M, whose mean
over v is Tr f(WᵀW)/M; its standard error is that over the vectors.
"""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.linalg import LinearOperator, eigsh

from workbench import checks, results
from workbench.metrics.spectra.spectrum import FEWEST, ZERO
from workbench.metrics.spectra.tails import tail_fit
from workbench.progress import Progress

Floats = NDArray[np.float64]
BLOCK_ENTRIES = 2**22
MOST_COPIED = 2**27
"""Up to so many entries (1 GB) a layer is turned into float64 once; a larger one at every product, block by block."""
MOST_TOP, MOST_PROBES, MOST_STEPS = 2000, 200, 400
GRID = 200
DECADES = 6
"""The density is drawn over so many powers of ten below the largest eigenvalue."""


@results.experiment
def large_spectrum(
    weights: ArrayLike,
    *,
    top: int = 200,
    probes: int = 16,
    steps: int = 80,
    width: float = 0.15,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Estimate the spectrum of WᵀW for a layer W (N, M), M ≤ N after transposing, without all its eigenvalues.

    ``eigenvalue`` (order,) are the ``top`` largest, descending, ``residual`` bounds how far each is from one of WᵀW.
    ``alpha``, ``low``, ``high``, ``threshold`` and ``tail_size`` are :func:`tail_fit`'s with thresholds among those
    and no others; ``at_the_end`` says that the best one is the lowest, so that a larger ``top`` will move it.
    ``density`` (log_eigenvalue,) is the share of eigenvalues per unit of ln λ under a Gaussian kernel of ``width``,
    with ``density_error``, the standard error over ``probes`` random vectors of ``steps`` Lanczos steps each.
    ``mean_log`` is Tr ln(λ/mean)/M with its error
    (NaN where WᵀW is singular to the eye), ``total`` Σλ exactly. Raises ``ValueError`` for fewer than 20 columns, NaN,
    whole numbers, zeros. Cost: about 3 · top + probes · steps products with W and its transpose; memory M · probes ·
    steps numbers beside W.

    >>> rng = np.random.default_rng(0)
    >>> found = large_spectrum(rng.normal(size=(300, 200)), top=40, probes=4, steps=40)
    >>> bool((found.residual < 1e-8 * found.eigenvalue).all()), found.sizes["order"]
    (True, 40)
    """
    matrix = _matrix(weights)
    rows, columns = matrix.shape
    top = checks.integer("top", top, minimum=FEWEST, maximum=min(MOST_TOP, columns - 1))
    probes = checks.integer("probes", probes, minimum=2, maximum=MOST_PROBES)
    steps = min(checks.integer("steps", steps, minimum=2, maximum=MOST_STEPS), columns)
    width = checks.real("width", width, minimum=0.01, maximum=2)
    rng = checks.generator(seed)
    progress = progress or Progress()
    checks.memory(8.0 * columns * (2 * probes * steps + 3 * top), "the Lanczos vectors")
    total = _total(matrix)
    if not total > 0:
        raise ValueError("weights holds zeros alone; a layer of zeros has no spectrum")
    values, residual = _largest(matrix, top, rng, progress)
    fit = tail_fit(values)
    nodes, shares = _quadratures(matrix, probes, steps, rng, progress)
    logs, density = _densities(nodes, shares, float(values[0]), width)
    mean_logs = _mean_logs(nodes, shares, total / columns)
    progress.update(1, 1, "done")
    along = ("log_eigenvalue",)
    root = np.sqrt(probes)
    return results.dataset(
        {
            "eigenvalue": (("order",), values, "eigenvalue of WᵀW"),
            "residual": (("order",), residual, "distance within which WᵀW has an eigenvalue"),
            "alpha": ((), fit.alpha, "exponent of the tail"),
            "low": ((), fit.low, "lower end of its exact 95 % interval at this threshold"),
            "high": ((), fit.high, "upper end of its exact 95 % interval at this threshold"),
            "threshold": ((), fit.threshold, "threshold of least distance among the largest"),
            "tail_size": ((), fit.tail, "eigenvalues from the threshold up"),
            "at_the_end": ((), fit.tail == top, "whether a larger top will move the threshold"),
            "density": (along, density.mean(axis=0), "share of eigenvalues per unit of ln λ"),
            "density_error": (along, density.std(axis=0, ddof=1) / root, "its standard error over the vectors"),
            "mean_log": ((), mean_logs.mean(), "mean of ln(λ/mean)"),
            "mean_log_error": ((), mean_logs.std(ddof=1) / root, "its standard error over the vectors"),
            "total": ((), total, "sum of all eigenvalues"),
            "rows": ((), rows, "longer side of the layer"),
            "columns": ((), columns, "shorter side: the number of eigenvalues"),
        },
        {
            "order": (("order",), np.arange(1, top + 1), "place from the top"),
            "log_eigenvalue": (along, logs, "ln λ"),
        },
    )


def _matrix(weights: ArrayLike) -> NDArray[Any]:
    """Return the weights as a matrix (N, M) with N ≥ M in the type that they are kept in."""
    array = np.asanyarray(weights)
    if np.ma.isMaskedArray(array) or array.dtype.kind != "f":
        raise ValueError(f"weights must be an array of floats without a mask, got {array.dtype}; scale quantised ones")
    if array.ndim < 2:
        raise ValueError(f"weights has shape {array.shape}; a layer is a matrix, or a kernel (out, in, …)")
    matrix = np.asarray(array).reshape(len(array), -1)
    matrix = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
    if matrix.shape[1] <= FEWEST:
        raise ValueError(f"weights is {array.shape}: {matrix.shape[1]} eigenvalues; more than {FEWEST} are needed")
    for block in _blocks(matrix):
        if not np.isfinite(block).all():
            raise ValueError("weights holds NaN or infinity; mend the layer first")
    return matrix.astype(np.float64, copy=False) if matrix.size <= MOST_COPIED else matrix


def _blocks(matrix: NDArray[Any]) -> Any:
    """Yield the matrix in float64, some rows at a time."""
    rows = max(1, BLOCK_ENTRIES // matrix.shape[1])
    for start in range(0, len(matrix), rows):
        yield np.asarray(matrix[start : start + rows], dtype=np.float64)


def _total(matrix: NDArray[Any]) -> float:
    return float(sum(np.vdot(block, block) for block in _blocks(matrix)))


def _times(matrix: NDArray[Any], vectors: Floats) -> Floats:
    """Return WᵀW times vectors (M, b)."""
    found = np.zeros(vectors.shape)
    for block in _blocks(matrix):
        found += block.T @ (block @ vectors)
    return found


def _largest(matrix: NDArray[Any], top: int, rng: np.random.Generator, progress: Progress) -> tuple[Floats, Floats]:
    """Return the largest eigenvalues, descending, with the norms of their residuals."""
    columns, count = matrix.shape[1], 0

    def times(vector: Floats) -> Floats:
        nonlocal count
        count += 1
        progress.update(min(count, 3 * top), 4 * top, "largest eigenvalues")
        return _times(matrix, vector.reshape(columns, -1)).reshape(vector.shape)

    operator = LinearOperator((columns, columns), matvec=times, dtype=np.float64)
    values, vectors = eigsh(operator, k=top, which="LA", v0=rng.normal(size=columns))
    order = np.argsort(values)[::-1]
    values, vectors = np.maximum(values[order], 0.0), vectors[:, order]
    return values, np.linalg.norm(_times(matrix, vectors) - vectors * values, axis=0)


def _quadratures(
    matrix: NDArray[Any], probes: int, steps: int, rng: np.random.Generator, progress: Progress
) -> tuple[Floats, Floats]:
    """Return nodes and weights (probe, step) of the Lanczos quadratures of random sign vectors."""
    columns = matrix.shape[1]
    basis = np.zeros((probes, steps, columns))
    basis[:, 0] = rng.choice([-1.0, 1.0], size=(probes, columns)) / np.sqrt(columns)
    diagonal, beside = np.zeros((probes, steps)), np.zeros((probes, steps - 1))
    for j in range(steps):
        progress.update(3 * steps + j, 4 * steps, "density")
        image = _times(matrix, basis[:, j].T).T
        diagonal[:, j] = (basis[:, j] * image).sum(axis=1)
        if j == steps - 1:
            break
        scale = np.linalg.norm(image, axis=1)
        before = basis[:, : j + 1]
        for _ in range(2):  # once loses the orthogonality that quadratures live on, twice is enough
            along = before @ image[:, :, None]
            image = image - (along.transpose(0, 2, 1) @ before)[:, 0]
        norm = np.linalg.norm(image, axis=1)
        goes_on = norm > 1e-12 * np.maximum(scale, 1e-300)  # else the vector has found an invariant space, and is done
        beside[:, j] = np.where(goes_on, norm, 0.0)
        basis[goes_on, j + 1] = image[goes_on] / norm[goes_on, None]
    nodes, shares = np.empty((probes, steps)), np.empty((probes, steps))
    for p in range(probes):
        values, vectors = np.linalg.eigh(np.diag(diagonal[p]) + np.diag(beside[p], 1) + np.diag(beside[p], -1))
        nodes[p], shares[p] = np.maximum(values, 0.0), vectors[0] ** 2
    return nodes, shares


def _densities(nodes: Floats, shares: Floats, largest: float, width: float) -> tuple[Floats, Floats]:
    """Return a grid of ln λ, and the density of every probe on it under a Gaussian kernel, (probe, grid)."""
    grid = np.linspace(np.log(largest) - DECADES * np.log(10), np.log(largest) + 3 * width, GRID)
    logs = np.log(np.maximum(nodes, ZERO * ZERO * largest))
    kernel = np.exp(-0.5 * ((grid - logs[:, :, None]) / width) ** 2) / (width * np.sqrt(2 * np.pi))
    return grid, np.einsum("ps,psg->pg", shares, kernel)


def _mean_logs(nodes: Floats, shares: Floats, mean: float) -> Floats:
    """Return the mean of ln(λ/mean) by every probe; NaN where a node that counts is zero up to rounding."""
    zero = (nodes < ZERO * nodes.max()) & (shares > ZERO)
    logs = np.log(np.where(nodes > 0, nodes, 1.0) / mean)
    return np.where(zero.any(axis=1), np.nan, (shares * logs).sum(axis=1))
