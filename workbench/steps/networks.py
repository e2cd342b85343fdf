"""Small networks for the experiments, by name; a new one is one function and one line.

Each function takes (features, classes) and returns an untrained ``nn.Module``; :func:`build` makes it with weights
drawn from its own seed, touching no global random state.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

from workbench import checks
from workbench.registry import Fact, Registry

NETWORKS = Registry(
    "network", facts={"slowness": Fact((int, float), says="time of one pass over that of a small perceptron")}
)
WIDTH = 128


def build(network: str, *, features: int = 64, classes: int = 10, seed: int = 0) -> nn.Module:
    """Return a freshly initialised network of the registry.

    Weights are uniform ±1/√fan-in (torch's default law), drawn from ``seed`` alone. Raises ``ValueError`` for an
    unknown name or sizes the network cannot take.

    >>> model = build("linear", features=64, classes=10)
    >>> sum(p.numel() for p in model.parameters()), bool((build("linear")[-1].weight == model[-1].weight).all())
    (650, True)
    """
    entry = NETWORKS[network]
    features = checks.integer("features", features, minimum=1)
    classes = checks.integer("classes", classes, minimum=2)
    with torch.device("meta"):  # no weights are drawn here
        model = entry(features, classes)
    return initialise(model.to_empty(device="cpu"), seed)


@torch.no_grad()
def initialise(model: nn.Module, seed: int) -> nn.Module:
    """Draw all weights of ``model`` anew from ``seed`` and return it."""
    generator = torch.Generator().manual_seed(checks.integer("seed", seed, minimum=0))
    for module in model.modules():
        if isinstance(module, (nn.Linear, nn.Conv1d)):
            bound = 1 / math.sqrt(module.weight[0].numel())
            module.weight.uniform_(-bound, bound, generator=generator)
            if module.bias is not None:
                module.bias.uniform_(-bound, bound, generator=generator)
        elif isinstance(module, (nn.LayerNorm, nn.BatchNorm1d)):
            module.reset_parameters()
        elif isinstance(module, RowTransformer):
            module.position.normal_(0, 0.02, generator=generator)
    return model


def _mlp(features: int, classes: int, activation: Any, norm: bool = False) -> nn.Sequential:
    sizes = [(features, WIDTH), (WIDTH, WIDTH)]
    layers: list[nn.Module] = []
    for before, after in sizes:
        layers += [nn.Linear(before, after), *([nn.LayerNorm(after)] if norm else []), activation()]
    return nn.Sequential(*layers, nn.Linear(WIDTH, classes))


@NETWORKS.add("linear", label="Linear", formula="z = Wx + b", cost="650 parameters", slowness=0.5)
def linear(features: int, classes: int) -> nn.Module:
    """Softmax regression: the logits are exactly linear in the parameters."""
    return nn.Sequential(nn.Linear(features, classes))


@NETWORKS.add("mlp-relu", label="MLP, ReLU", formula="64-128-128-10, ReLU", cost="26k parameters", slowness=1)
def mlp_relu(features: int, classes: int) -> nn.Module:
    """Multilayer perceptron with two hidden ReLU layers."""
    return _mlp(features, classes, nn.ReLU)


@NETWORKS.add("mlp-tanh", label="MLP, tanh", formula="64-128-128-10, tanh", cost="26k parameters", slowness=1)
def mlp_tanh(features: int, classes: int) -> nn.Module:
    """Multilayer perceptron with two hidden tanh layers."""
    return _mlp(features, classes, nn.Tanh)


@NETWORKS.add("mlp-gelu", label="MLP, GELU", formula="64-128-128-10, GELU", cost="26k parameters", slowness=1.5)
def mlp_gelu(features: int, classes: int) -> nn.Module:
    """Multilayer perceptron with two hidden GELU (erf) layers."""
    return _mlp(features, classes, nn.GELU)


@NETWORKS.add(
    "mlp-layernorm", label="MLP, layer norm", formula="64-128-128-10, LN, ReLU", cost="27k parameters", slowness=1.5
)
def mlp_layer_norm(features: int, classes: int) -> nn.Module:
    """Multilayer perceptron with layer norm before each ReLU."""
    return _mlp(features, classes, nn.ReLU, norm=True)


@NETWORKS.add(
    "cnn-batchnorm", label="1-D CNN, batch norm", formula="conv 16, 32, BN, mean", cost="13k parameters", slowness=6
)
def cnn_batch_norm(features: int, classes: int) -> nn.Module:
    """One-dimensional convolutions over the row of features, batch norm after each, and a linear head."""
    return nn.Sequential(
        nn.Unflatten(1, (1, features)),
        nn.Conv1d(1, 16, 5, padding=2),
        nn.BatchNorm1d(16),
        nn.ReLU(),
        nn.Conv1d(16, 32, 5, stride=2, padding=2),
        nn.BatchNorm1d(32),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * ((features + 1) // 2), classes),
    )


class RowTransformer(nn.Module):
    """A transformer whose tokens are the rows of the image: 8 tokens of 8 pixels for digits, so attention attends."""

    def __init__(self, features: int, classes: int, width: int = 32, heads: int = 4, blocks: int = 2) -> None:
        super().__init__()
        self.tokens = next(t for t in (8, 7, 6, 5, 4, 3, 2, 1) if features % t == 0)
        self.embed = nn.Linear(features // self.tokens, width)
        self.position = nn.Parameter(torch.empty(self.tokens, width))
        self.blocks = nn.Sequential(*[Block(width, heads) for _ in range(blocks)])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, features) to logits (batch, classes)."""
        rows = x.reshape(len(x), self.tokens, -1)
        hidden = self.blocks(self.embed(rows) + self.position)
        return self.head(self.norm(hidden).mean(dim=1))


class Block(nn.Module):
    """Pre-norm self-attention and a GELU feed-forward layer, each with a residual connection."""

    def __init__(self, width: int, heads: int, *, causal: bool = False) -> None:
        super().__init__()
        self.heads, self.causal = heads, causal
        self.norm_attention, self.norm_feed = nn.LayerNorm(width), nn.LayerNorm(width)
        self.project = nn.Linear(width, 3 * width)
        self.merge = nn.Linear(width, width)
        self.feed = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, tokens, width) to the same shape."""
        batch, tokens, width = x.shape
        shape = (batch, tokens, 3, self.heads, width // self.heads)
        query, key, value = self.project(self.norm_attention(x)).reshape(shape).permute(2, 0, 3, 1, 4)
        attended = nn.functional.scaled_dot_product_attention(query, key, value, is_causal=self.causal)
        x = x + self.merge(attended.transpose(1, 2).reshape(batch, tokens, width))
        return x + self.feed(self.norm_feed(x))


@NETWORKS.add(
    "transformer",
    label="Transformer, 8 tokens",
    formula="2 blocks, width 32, 4 heads",
    cost="18k parameters",
    slowness=12,
)
def transformer(features: int, classes: int) -> nn.Module:
    """Two pre-norm transformer blocks over the rows of the image."""
    return RowTransformer(features, classes)
