"""What a person takes away: status, weights, band, margin, steps, region, and the vectors that prove them."""

import json
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from workbench.games.models.bounds import Bounds
from workbench.games.models.region import Box
from workbench.games.verifier.document import FORMAT, VERSION, digest, read
from workbench.games.verifier.grammar import parse


class Status(StrEnum):
    """How much a certificate says; never more than what was verified.

    >>> Status("REFUSED").advice
    'No metric weights work, and the witness shows why. The game may still converge.'
    """

    CERTIFIED = "CERTIFIED"
    ESTIMATED = "ESTIMATED"
    REFUSED = "REFUSED"
    UNKNOWN = "UNKNOWN"

    @property
    def advice(self) -> str:
        """What the word means and what a person can do with it."""
        return {
            Status.CERTIFIED: "An independent checker verified the proof: the dynamics contract at the stated rate.",
            Status.ESTIMATED: "The bounds were sampled: the numbers are plausible but nothing is proved.",
            Status.REFUSED: "No metric weights work, and the witness shows why. The game may still converge.",
            Status.UNKNOWN: "Neither proved nor excluded: rounding or the budget ended the search. See the reason.",
        }[self]


@dataclass(frozen=True, eq=False)
class Certificate:
    """A contraction certificate for a game, or the reason why there is none.

    Attributes
    ----------
    status, reason : the verdict and its sentence
    kind : "perron" (one set of bounds, vectors z and v) or "leafwise" (one common w on every leaf of the region)
    margin : proved contraction rate α of x' = -F(x) in |.|_M, M = diag(w_i I); NaN if none
    tau : best margin any weights could give for these bounds (supremum), NaN if unknown; told, not part of the proof
    weights, z, v : (N,) metric weights v/z (first one 1) and the proof A z ≥ margin z, Aᵀ v ≥ margin v; leaf by leaf
        the weights alone, and a z only if one was found for all leaves
    band : two players: interval of w_2/w_1 with margin ≥ target; None for more players. A band of metric weights,
        not of learning rates
    beta : Lipschitz constant of F in M(w)
    step_paper, step_h0, step_sharp : Euler steps: 2α/β²; min 2/(mu+ell), leaf by leaf the best step up to there; sup of
        steps with ρ(T_h) < 1, leaf by leaf of those that do not expand in M(w)
    step_rk4 : step at which classical RK4 is non-expansive
    player_steps : (N,) steps allowed to each player on its own, in max_i |x_i|/z_i
    rate_h0, rate_players : leaf by leaf: a step h ≤ step_h0 shrinks by 1 - h rate_h0, a player's step η ≤ player_steps
        by 1 - η rate_players; NaN for "perron", where both rates are the margin
    scale : the power of two in whose units the finding was made, near the largest curvature or coupling; None if 1
    attained : whether finite weights reach τ; told, not part of the proof
    target : the margin that was asked for, or None
    bounds, region, tree, game : what was bounded, where, on which boxes, and the game itself as data
    basin : a box proved to hold exactly one equilibrium, and the radius of an M-ball around it inside the region
    witness : REFUSED: the vector (and point) that rules out all weights

    >>> from workbench import games
    >>> made = games.certify(games.Bounds([1.0, 1.0], [1.0, 1.0], [[0, 0.5], [0.5, 0]]))
    >>> made.certified, round(made.margin, 6), Certificate.from_json(made.to_json()).margin == made.margin
    (True, 0.5, True)
    """

    status: Status
    reason: str
    kind: str = "perron"
    margin: float = float("nan")
    tau: float = float("nan")
    weights: NDArray | None = None
    z: NDArray | None = None
    v: NDArray | None = None
    band: tuple[float, float] | None = None
    beta: float = float("nan")
    step_paper: float = float("nan")
    step_h0: float = float("nan")
    step_sharp: float = float("nan")
    step_rk4: float = float("nan")
    player_steps: NDArray | None = None
    attained: bool = False
    target: float | None = None
    bounds: Bounds | None = None
    region: Box | None = None
    tree: tuple[int, ...] | None = None
    game: dict[str, Any] = field(default_factory=lambda: {"type": "bounds"})
    witness: dict[str, Any] | None = None
    basin: dict[str, Any] | None = None
    beta_vector: NDArray | None = None
    sharp_vector: NDArray | None = None
    rate_h0: float = float("nan")
    rate_players: float = float("nan")
    scale: float | None = None

    @property
    def certified(self) -> bool:
        """Whether the status is CERTIFIED."""
        return self.status is Status.CERTIFIED

    def factor(self, h: float) -> float:
        """Return the proved factor of one Euler step h in M(w): 1 - h rate up to h0, rate the margin or leaf by leaf
        ``rate_h0``; NaN beyond."""
        rate = self.margin if self.kind == "perron" else self.rate_h0
        return 1 - h * rate if 0 < h <= self.step_h0 else float("nan")

    def document(self) -> dict[str, Any]:
        """Return the certificate as plain data, without the digest; infinities are written "inf", NaN as None."""
        plain = {f.name: _plain(getattr(self, f.name)) for f in fields(self)}
        return {"format": FORMAT, "version": VERSION, **plain, "status": self.status.value}

    def to_json(self, indent: int | None = 1) -> str:
        """Return the certificate as JSON text with its digest; floats are written so that they read back exactly."""
        document = json.loads(json.dumps(self.document(), default=_listed, allow_nan=False))
        document["digest"] = digest(document)
        return json.dumps(document, indent=indent, allow_nan=False)

    def save(self, path: Path) -> Path:
        """Write the JSON text to ``path`` and return it."""
        target = Path(path)
        target.write_text(self.to_json())
        return target

    @classmethod
    def from_json(cls, text: str | bytes) -> "Certificate":
        """Read a certificate back; raises ``ValueError`` if it is damaged, altered or no certificate."""
        try:
            document = read(text)
            parse(document)
            return cls(**_fields(document))
        except Exception as error:
            raise ValueError(f"this is no intact certificate: {error}") from None

    def describe(self) -> dict[str, Any]:
        """Return what identifies the certificate in a result's provenance."""
        return {"status": self.status.value, "margin": self.margin, "digest": json.loads(self.to_json())["digest"]}

    def __repr__(self) -> str:
        margin = "" if np.isnan(self.margin) else f", margin={self.margin:.6g}"
        return f"Certificate({self.status.value}{margin}: {self.reason})"


_NUMBERS = ("margin", "tau", "beta", "step_paper", "step_h0", "step_sharp", "step_rk4")


def _plain(value: Any) -> Any:
    if isinstance(value, Bounds):
        couplings = sp.coo_array(value.L)
        return {
            "mu": value.mu,
            "ell": value.ell,
            "rows": couplings.coords[0],
            "columns": couplings.coords[1],
            "values": couplings.data,
            "proved": value.proved,
        }
    if isinstance(value, Box):
        return {"lower": value.lower, "upper": value.upper}
    if isinstance(value, float):
        return None if np.isnan(value) else "inf" if np.isinf(value) else float(value)
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    return value


def _listed(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a certificate cannot hold a {type(value).__name__}")


def _fields(document: dict[str, Any]) -> dict[str, Any]:
    """Turn the parsed document into the constructor's arguments."""
    known = {f.name: f for f in fields(Certificate)}
    values = {key: value for key, value in document.items() if key in known}
    for key in (*_NUMBERS, "rate_h0", "rate_players"):
        values[key] = float("nan") if values.get(key) is None else float(values[key])
    for key in ("weights", "z", "v", "player_steps", "beta_vector", "sharp_vector"):
        values[key] = None if values[key] is None else np.asarray(values[key], dtype=float)
    values["status"] = Status(values["status"])
    values["band"] = None if values["band"] is None else tuple(float(end) for end in values["band"])
    values["tree"] = None if values["tree"] is None else tuple(values["tree"])
    values["region"] = None if values["region"] is None else Box(**values["region"])
    values["bounds"] = None if values["bounds"] is None else _bounds(values["bounds"])
    return values


def _bounds(stored: dict[str, Any]) -> Bounds:
    n = len(stored["mu"])
    couplings = sp.coo_array((stored["values"], (stored["rows"], stored["columns"])), shape=(n, n))
    dense = n <= 3000
    return Bounds(stored["mu"], stored["ell"], couplings.toarray() if dense else couplings.tocsr(), stored["proved"])
