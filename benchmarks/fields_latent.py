"""Latent flows beside what a user would write: `python benchmarks/fields_latent.py`.

The rival on a laptop is scikit-learn's PCA with a network trained by conditional flow matching in plain torch. Both
learn from the same digits and are judged by W₂² to the same pictures kept out. Ratios are of one thread.
"""

import argparse
import time

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from workbench.fields import latent_flow
from workbench.transport import wasserstein


def torch_and_pca(k: int, steps: int) -> float:
    """Return W₂² to pictures kept out of a flow written the plain way, with the split of :func:`latent_flow`."""
    import torch
    from torch import nn

    torch.set_num_threads(1)
    torch.manual_seed(0)
    rows = load_digits().data / 16
    order = np.random.default_rng([0, 0]).permutation(len(rows))
    cut = len(rows) // 5
    kept, seen = rows[order[:cut]], rows[order[cut:]]
    coder = PCA(k).fit(seen)
    latent = torch.from_numpy(coder.transform(seen)).float()
    scale = float(latent.var(0).mean().sqrt())
    network = nn.Sequential(
        nn.Linear(k + 1, 128), nn.SiLU(), nn.Linear(128, 128), nn.SiLU(), nn.Linear(128, 128), nn.SiLU(),
        nn.Linear(128, k),
    )  # fmt: skip
    adam = torch.optim.Adam(network.parameters(), lr=1e-3)
    for _ in range(steps):
        x1 = latent[torch.randint(len(latent), (256,))]
        x0, t = scale * torch.randn(256, k), torch.rand(256, 1)
        loss = ((network(torch.cat([x0 + t * (x1 - x0), t], 1)) - (x1 - x0)) ** 2).sum(1).mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
    with torch.no_grad():
        x = scale * torch.randn(cut, k)
        for j in range(100):
            x = x + 0.01 * network(torch.cat([x, torch.full((cut, 1), j / 100)], 1))
    return wasserstein(kept, coder.inverse_transform(x.numpy().astype(float)))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes")
    given = parser.parse_args()
    steps = 100 if given.quick else 1500
    print("| latent flow of digits | W₂² to pictures kept out | floor | s | torch ÷ ours |\n|---|---|---|---|---|")
    latent_flow(dimension=2, components=2)  # compiles
    for k in (8,) if given.quick else (8, 32):
        begun = time.perf_counter()
        theirs = torch_and_pca(k, steps)
        rival = time.perf_counter() - begun
        for learner in ("mixture", "network"):
            begun = time.perf_counter()
            ds = latent_flow(dimension=k, learner=learner)
            own = time.perf_counter() - begun
            told = f"{float(ds.whole):.3f} | {float(ds.floor):.3f} | {own:.2f} | {rival / own:.1f}"
            print(f"| {learner}, k = {k} | {told} |")
        print(f"| torch and PCA, k = {k}, {steps} steps | {theirs:.3f} | | {rival:.2f} | 1 |")


if __name__ == "__main__":
    main()
