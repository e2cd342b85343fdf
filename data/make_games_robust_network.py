"""Train the network behind the methods "neural": ``python data/make_games_robust_network.py``, about ten minutes.

It writes data/games/robust_network.safetensors (some 12 kB). Samples, training and the instances that measure the error
come from one seed.
"""

import argparse
from pathlib import Path

import torch

from workbench.games.robust.neural.training import train_network
from workbench.progress import Progress

HERE = Path(__file__).resolve().parent / "games"


class Told(Progress):
    """Prints every tenth message."""

    times = 0

    def update(self, done: float, total: float | None = None, message: str = "") -> None:
        """Print now and then."""
        self.times += 1
        if self.times % 10 == 0:
            print(message, flush=True)


def main() -> None:
    """Draw, train, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instances", type=int, default=1500)
    parser.add_argument("--epochs", type=int, default=120)
    options = parser.parse_args()
    torch.set_num_threads(1)
    network = train_network(instances=options.instances, epochs=options.epochs, seed=0, progress=Told())
    print(f"root mean square error on instances kept apart: {network.error:.3%} of Σf")
    network.save(HERE / "robust_network.safetensors")


if __name__ == "__main__":
    main()
