"""Write the certificate of a worst-case regret: the witnesses, and the interval that they prove."""

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from flint import fmpq
from numpy.typing import ArrayLike

from workbench.metrics.rewards import checker

if TYPE_CHECKING:
    from workbench.metrics.rewards.regret import Regret

TRIES = (1.0, 1e2, 1e4, 1e6)


def certificate(found: "Regret") -> str:
    """Return the certificate of ``found`` in JSON.

    The second policy must be proved to earn no less than the first under reward 2, where the two are equal but for
    rounding: so a grain of the worst and the best policy of reward 2 is mixed in, as much as the proof needs.
    """
    if any(found.trivial):
        which = 1 if found.trivial[0] else 2
        raise ValueError(f"reward {which} is trivial: all policies earn the same, so there is no regret to certify")
    mdp, r2 = found.mdp, found.rewards[1]
    slack = 64 * np.finfo(float).eps / (1 - mdp.discount) ** 2 * float(np.abs(r2).max()) / found.ends[1].range
    refusal = ""
    for times in TRIES:
        document = _document(found, min(times * max(slack, 1e-15), 0.5))
        try:
            low, high = checker.bounds(checker.parse(document))
        except checker.Refused as error:
            refusal = str(error)
            continue
        if low > 0 or not found.lower > 0:
            document["lower"], document["upper"] = _down(low), min(_up(high), 1.0)
            document["digest"] = checker.digest(document)
            return json.dumps(document, separators=(",", ":"))
    raise ValueError(
        f"this regret of {found.value:.6g} could not be certified: {refusal or 'rounding hides it'}. Rewards whose "
        "returns differ by a larger share of their size can be"
    )


def _document(found: "Regret", grain: float) -> dict[str, Any]:
    mdp, (at_zero, reverse), (r1, r2) = found.mdp, found.ends, found.rewards
    visits = {
        "best_1": at_zero.best.occupancy(mdp.actions),
        "worst_1": at_zero.worst.occupancy(mdp.actions),
        "first": (1 - grain) * found.first + grain * reverse.best.occupancy(mdp.actions),
        "second": (1 - grain) * found.second + grain * reverse.worst.occupancy(mdp.actions),
    }
    values = {
        "best_1": at_zero.best.values,
        "worst_1": -at_zero.worst.values,
        "best_mixed": found.at_factor.best.values,
        "worst_mixed": -found.at_factor.worst.values,
    }
    return {
        "format": checker.FORMAT,
        "version": checker.VERSION,
        "states": mdp.states,
        "actions": mdp.actions,
        "discount": mdp.discount,
        "start": _plain(mdp.start),
        "row_ends": mdp.table.indptr[1:].tolist(),
        "columns": mdp.table.indices.tolist(),
        "probabilities": _plain(mdp.table.data),
        "reward_1": _plain(r1),
        "reward_2": _plain(r2),
        "factor": _plain([found.factor])[0],
        "values": {name: _plain(one) for name, one in values.items()},
        "visits": {name: _plain(one) for name, one in visits.items()},
        "lower": 0.0,
        "upper": 1.0,
    }


def _plain(values: ArrayLike) -> list[float]:
    """Return numbers as the grammar takes them: what is smaller than 1e-100 is 0."""
    array = np.asarray(values, dtype=float).ravel()
    return np.where(np.abs(array) < checker.SMALLEST, 0.0, array).tolist()


def _down(value: fmpq) -> float:
    near = checker.as_double(value)
    near = near if fmpq(*near.as_integer_ratio()) <= value else math.nextafter(near, -math.inf)
    return near if near >= checker.SMALLEST else 0.0


def _up(value: fmpq) -> float:
    near = checker.as_double(value)
    near = near if fmpq(*near.as_integer_ratio()) >= value else math.nextafter(near, math.inf)
    return max(near, checker.SMALLEST)
