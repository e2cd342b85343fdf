"""Real text and a small language model of its characters.

The text is Python's own reference manual as the standard library carries it for ``help()`` (``pydoc_data.topics``,
some 700 kB of English and grammar, PSF licence): every installation has it, and nothing is downloaded. It differs a
little between versions of Python, and so do results made with it.
"""

import math
import string
from collections.abc import Iterator
from functools import lru_cache

import torch
from torch import Tensor, nn

from workbench import checks
from workbench.steps.networks import Block, initialise

SYMBOLS = "\n" + "".join(c for c in string.printable if c.isprintable())
HELD_OUT = 0.1


@lru_cache(maxsize=1)
def manual() -> tuple[Tensor, Tensor]:
    """Return the characters of the manual as numbers into ``SYMBOLS``, (training part, held-out last tenth)."""
    from pydoc_data.topics import topics

    number = {c: k for k, c in enumerate(SYMBOLS)}
    whole = "\n".join(topics[name] for name in sorted(topics))
    codes = torch.tensor([number[c] for c in whole if c in number], dtype=torch.long)
    cut = round((1 - HELD_OUT) * len(codes))
    return codes[:cut], codes[cut:]


def excerpts(codes: Tensor, steps: int, seed: int, *, batch: int, context: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield ``steps`` batches of (characters, next characters), each (batch, context), from random places."""
    generator = torch.Generator().manual_seed(checks.integer("seed", seed, minimum=0))
    for _ in range(steps):
        starts = torch.randint(0, len(codes) - context, (batch,), generator=generator)
        window = codes[starts[:, None] + torch.arange(context + 1)]
        yield window[:, :-1], window[:, 1:]


class CharacterModel(nn.Module):
    """A causal transformer over characters: logits (batch, context, symbols); weights drawn from ``seed`` alone."""

    def __init__(self, *, width: int = 48, heads: int = 4, blocks: int = 2, context: int = 48, seed: int = 0) -> None:
        super().__init__()
        with torch.device("meta"):
            self.embed = nn.Embedding(len(SYMBOLS), width)
            self.blocks = nn.ModuleList([Block(width, heads, causal=True) for _ in range(blocks)])
            self.norm = nn.LayerNorm(width)
            self.head = nn.Linear(width, len(SYMBOLS))
            self.position = nn.Parameter(torch.empty(context, width))
        self.to_empty(device="cpu")
        initialise(self, seed)
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            self.position.normal_(0, 0.02, generator=generator)
            self.embed.weight.normal_(0, 1 / math.sqrt(width), generator=generator)

    def forward(self, codes: Tensor) -> Tensor:
        """Map characters (batch, context) to logits (batch, context, symbols) of the next ones."""
        hidden = self.embed(codes) + self.position[: codes.shape[1]]
        for block in self.blocks:
            hidden = block(hidden)
        return self.head(self.norm(hidden))
