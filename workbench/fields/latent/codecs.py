"""Encoders with their decoders: principal axes, whose errors add up exactly, and a small autoencoder.

For an orthogonal projection P with a decoder into its range, W₂²(p, g#q) = E‖x − Px‖² + W₂²(f#p, q) for *every* latent
law q: x − Px is orthogonal to all that the decoder can make, so no plan can trade the one against the other. An
autoencoder has no such identity.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.neural_network import MLPRegressor

from workbench import checks
from workbench.fields.core.laws import Floats, GaussianMixture
from workbench.progress import Progress
from workbench.registry import Registry

CODECS = Registry("codec")
"""Encoder and decoder, each a function (points (n, d), dimension, seed, progress) that returns a fitted one."""
HIDDEN = 128
EPOCHS = 60


class PrincipalAxes:
    """The affine projection onto ``axes`` (d, k), orthonormal, through ``mean`` (d,)."""

    lipschitz = 1.0

    def __init__(self, mean: Floats, axes: Floats) -> None:
        self.mean, self.axes = mean, axes

    def encode(self, x: Floats) -> Floats:
        """Return the latent coordinates (n, k) of points (n, d)."""
        return (x - self.mean) @ self.axes

    def decode(self, z: Floats) -> Floats:
        """Return the points (n, d) of latent coordinates (n, k)."""
        return self.mean + z @ self.axes.T

    def law(self, law: GaussianMixture) -> GaussianMixture:
        """Return the law of the latent coordinates, again a mixture."""
        inner = np.einsum("da,kde,eb->kab", self.axes, law.covariances, self.axes)
        return GaussianMixture(law.weights, self.encode(law.means), 0.5 * (inner + inner.transpose(0, 2, 1)))

    def lost(self, law: GaussianMixture) -> float:
        """Return E‖x − Px‖² under a law, exactly."""
        away = law.mean - self.mean
        second = law.covariance + np.outer(away, away)
        return max(float(np.trace(second) - np.einsum("da,de,ea->", self.axes, second, self.axes)), 0.0)


def axes_of(mean: Floats, covariance: Floats, dimension: int) -> PrincipalAxes:
    """Return the projection onto the ``dimension`` leading eigenvectors."""
    _, vectors = np.linalg.eigh(covariance)
    return PrincipalAxes(mean, np.ascontiguousarray(vectors[:, ::-1][:, :dimension]))


@CODECS.add(
    "pca",
    label="Principal axes (PCA)",
    formula=r"f(x) = V^\top (x - m),\ g(z) = m + V z",
    reference="Pearson, “On lines and planes of closest fit to systems of points in space”, 1901",
)
def pca(points: Floats, dimension: int, seed: int = 0, progress: Progress | None = None) -> PrincipalAxes:
    """Return the projection onto the leading principal axes of ``points``; columns that never change do no harm."""
    mean = points.mean(axis=0)
    _, _, rows = np.linalg.svd(points - mean, full_matrices=True)
    return PrincipalAxes(mean, np.ascontiguousarray(rows[:dimension].T))


class Autoencoder:
    """A perceptron d–128–k–128–d with tanh between its layers; the latent coordinates lie in (−1, 1)."""

    def __init__(self, mean: Floats, scale: float, weights: list[Floats], biases: list[Floats]) -> None:
        self.mean, self.scale, self.weights, self.biases = mean, scale, weights, biases

    def encode(self, x: Floats) -> Floats:
        """Return the latent coordinates (n, k) of points (n, d)."""
        h = (x - self.mean) / self.scale
        for w, b in zip(self.weights[:2], self.biases[:2], strict=True):
            h = np.tanh(h @ w + b)
        return h

    def decode(self, z: Floats) -> Floats:
        """Return the points (n, d) of latent coordinates (n, k)."""
        h = np.tanh(z @ self.weights[2] + self.biases[2])
        return self.mean + self.scale * (h @ self.weights[3] + self.biases[3])

    @property
    def lipschitz(self) -> float:
        """A proved Lipschitz constant of the decoder: the product of the norms of its layers (tanh has slope 1)."""
        return float(self.scale * np.prod([np.linalg.norm(w, 2) for w in self.weights[2:]]) * (1 + 1e-12))


@CODECS.add(
    "autoencoder",
    label="A small autoencoder",
    formula=r"d \to 128 \to k \to 128 \to d,\ \tanh",
    reference="Hinton and Salakhutdinov, “Reducing the dimensionality of data with neural networks”, 2006",
)
def autoencoder(points: Floats, dimension: int, seed: int = 0, progress: Progress | None = None) -> Autoencoder:
    """Return an autoencoder trained by Adam for 60 passes over ``points``; the mean square is in one common scale."""
    progress = progress or Progress()
    mean = points.mean(axis=0)
    scale = float(np.sqrt(np.mean((points - mean) ** 2)))
    inner = (points - mean) / scale
    net = MLPRegressor(
        hidden_layer_sizes=(HIDDEN, dimension, HIDDEN), activation="tanh", alpha=0.0, learning_rate_init=2e-3,
        batch_size=min(64, len(points)), random_state=seed,
    )  # fmt: skip
    for epoch in range(EPOCHS):
        net.partial_fit(inner, inner)
        progress.update(epoch + 1, EPOCHS, f"autoencoder, pass {epoch + 1} of {EPOCHS}")
    return Autoencoder(mean, scale, list(net.coefs_), list(net.intercepts_))


def check_points(name: str, value: ArrayLike, *, least: int) -> Floats:
    """Return one's own rows (n, d), refusing too few of them and rows that are all alike."""
    points = checks.finite_array(name, value, ndim=2)
    n, d = points.shape
    if n < least:
        raise ValueError(f"{name} has {n} rows; a latent flow needs at least {least}, a part of which is kept out")
    if n > MOST_ROWS or d > MOST_COLUMNS:
        raise ValueError(f"{name} has shape {n:,} × {d:,}; at most {MOST_ROWS:,} rows of {MOST_COLUMNS} are taken")
    if not float(np.ptp(points, axis=0).max()) > 0:
        raise ValueError(f"all rows of {name} are alike; there is nothing to learn from them")
    return points


MOST_ROWS, MOST_COLUMNS = 20_000, 4096


def fitted(codec: str, points: Floats, dimension: int, seed: int, progress: Progress) -> Any:
    """Return a codec of ``CODECS`` fitted to points."""
    return CODECS[codec].function(points, dimension, seed, progress)
