"""The table over real pretrained networks: what α, its error bars, its null and ERG say of layers in use."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from workbench import checks, results
from workbench.metrics.spectra.layers import Layers
from workbench.metrics.spectra.nulls import MOST_REPEATS
from workbench.metrics.spectra.scores import layer_spectra, table_of
from workbench.metrics.spectra.tails import MOST_DRAWS, tail_fit
from workbench.progress import Progress

REFITTED = {
    "refit_low": "lower end of the interval of α with the threshold chosen again",
    "refit_high": "upper end of the interval of α with the threshold chosen again",
    "p_value": "p-value of the power law",
}


@results.experiment
def score_networks(
    networks: Mapping[str, Any],
    *,
    least_side: int = 50,
    most: int = 40,
    repeats: int = 20,
    bootstrap: int = 30,
    level: float = 0.95,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Score the layers of several networks in one table, with shuffles, refitted intervals and p-values.

    ``networks`` maps a name to whatever :func:`layer_spectra` takes. Of each the first ``most`` layers with both sides
    at least ``least_side`` are scored. Returns over ``layer`` what :func:`score_layers` returns, ``network``, and from
    ``bootstrap`` draws ``refit_low``, ``refit_high`` and ``p_value``. Raises ``ValueError`` as those do.

    >>> rng = np.random.default_rng(0)
    >>> nets = {"a": {"x": rng.normal(size=(80, 60))}, "b": {"x": rng.normal(size=(70, 60)), "y": np.ones((90, 30))}}
    >>> found = score_networks(nets, repeats=2, bootstrap=5)
    >>> found.network.values.tolist()
    ['a', 'b']
    """
    progress = progress or Progress()
    least = checks.integer("least_side", least_side, minimum=20)
    most = checks.integer("most", most, minimum=1)
    repeats = checks.integer("repeats", repeats, minimum=0, maximum=MOST_REPEATS)
    bootstrap = checks.integer("bootstrap", bootstrap, minimum=2, maximum=MOST_DRAWS)
    level = checks.real("level", level, minimum=0.5, maximum=0.9999)
    seed = checks.integer("seed", seed, minimum=0)
    if not isinstance(networks, Mapping) or not networks:
        raise ValueError("networks is empty or no mapping; give names → paths, modules or arrays")
    tables, names = [], []
    for name, given in networks.items():
        found = layer_spectra(given)
        kept = tuple(layer for layer in found if layer.matrix.shape[1] >= least)[:most]
        if not kept:
            continue
        layers = Layers(kept, (), found.sentence)
        variables, _ = table_of(layers, repeats=repeats, level=level, seed=seed, progress=progress)
        variables = {key: value for key, value in variables.items() if value[0] == ("layer",)}
        rows = []
        for k, label in enumerate(variables["layer_name"][1]):
            rng = np.random.default_rng([seed, k, 1])
            values = layers[str(label)].spectrum().eigenvalues
            fit = tail_fit(values, level=level, bootstrap=bootstrap, seed=rng)
            rows.append([getattr(fit, key) for key in REFITTED])
            progress.update(k, len(layers), f"{name}: choosing thresholds again")
        for j, (key, label) in enumerate(REFITTED.items()):
            variables[key] = (("layer",), np.array([row[j] for row in rows]), label)
        tables.append(variables)
        names += [name] * len(rows)
    if not tables:
        raise ValueError(f"no network has a layer with both sides at least {least}")
    joined = {
        key: (("layer",), np.concatenate([table[key][1] for table in tables]), tables[0][key][2]) for key in tables[0]
    }
    joined["network"] = (("layer",), np.array(names), "network of the layer")
    return results.dataset(joined, {"layer": (("layer",), np.arange(len(names)), "number of the layer")})
