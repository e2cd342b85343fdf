"""What the guard costs on language models: ``python benchmarks/steps_guard.py [--quick] [--device cuda] [--write]``.

The bare step is forward, backward and AdamW. Bare and guarded steps take turns in one process and are compared pair by
pair: CPU time on a CPU (one thread), wall time between synchronisations on a CUDA device. The first step of a guard
looks for the last layer and measures twice; it belongs to the warm-up and is not counted.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from report import Told, heading
from torch import Tensor, nn

from workbench import steps
from workbench.steps.networks import Block

say = Told()
CASES = {
    "V=50257, d=128, 2 layers, 2×128": (50257, 128, 2, 4, 2, 128, False),
    "V=8192, d=128, 4 layers, 8×64": (8192, 128, 4, 4, 8, 64, False),
}
CUDA_CASES = {
    "GPT-2 sizes (124 M), 4×256": (50257, 768, 12, 12, 4, 256, False),
    "GPT-2 sizes (124 M), 4×256, bf16 autocast": (50257, 768, 12, 12, 4, 256, True),
}
GUARDS = {
    "exact": {"measure": "exact"},
    "differences": {"measure": "finite-difference"},
    "replay": {"measure": "replay"},
    "exact, one sequence": {"measure": "exact", "rows": 1},
    "replay, one sequence": {"measure": "replay", "rows": 1},
    "replay, one sequence, watching": {"measure": "replay", "rows": 1, "mode": "warn", "protect": "none"},
}


class Language(nn.Module):
    """A causal transformer with tied embedding and head."""

    def __init__(self, vocabulary: int, width: int, layers: int, heads: int, context: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary, width)
        self.position = nn.Parameter(0.02 * torch.randn(context, width))
        self.blocks = nn.Sequential(*[Block(width, heads, causal=True) for _ in range(layers)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)
        nn.init.normal_(self.embed.weight, std=0.02)
        self.head.weight = self.embed.weight

    def forward(self, tokens: Tensor) -> Tensor:
        """Map (batch, context) to logits (batch, context, vocabulary)."""
        return self.head(self.norm(self.blocks(self.embed(tokens) + self.position[: tokens.shape[1]])))


def stepper(case: tuple, device: str, options: dict | None) -> Callable[[], None]:
    """Return a function that takes one training step."""
    vocabulary, width, layers, heads, batch, context, half = case
    torch.manual_seed(0)
    model = Language(vocabulary, width, layers, heads, context).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    tokens = torch.randint(0, vocabulary, (2, batch, context), device=device)
    if options is not None:
        steps.guard(optimizer, model, **{"mode": "cap", **options})

    def step() -> None:
        optimizer.zero_grad()
        with torch.autocast(device, torch.bfloat16, enabled=half):
            logits = model(tokens[0])
            loss = nn.functional.cross_entropy(logits.view(-1, vocabulary), tokens[1].view(-1))
        loss.backward()
        optimizer.step()

    return step


def seconds(run: Callable[[], None], device: str) -> float:
    """Return the time of one call."""
    clock = time.perf_counter if device == "cuda" else time.process_time
    if device == "cuda":
        torch.cuda.synchronize()
    start = clock()
    run()
    if device == "cuda":
        torch.cuda.synchronize()
    return clock() - start


def table(device: str, rounds: int) -> str:
    """Return all cases as markdown: ratio to the bare step, median (least–largest) of the rounds."""
    lines = ["| model | bare, ms | bare again | " + " | ".join(GUARDS) + " |", "|---" * (len(GUARDS) + 3) + "|"]
    for title, case in (CUDA_CASES if device == "cuda" else CASES).items():
        runs = {"bare": stepper(case, device, None), "again": stepper(case, device, None)}
        runs |= {name: stepper(case, device, options) for name, options in GUARDS.items()}
        taken: dict[str, list[float]] = {name: [] for name in runs}
        for n in range(rounds + 3):
            for name, run in runs.items():
                spent = seconds(run, device)
                if n >= 3:
                    taken[name].append(spent)
        cells = [f"{1e3 * statistics.median(taken['bare']):.1f}"]
        for name in list(runs)[1:]:
            ratios = sorted(a / b for a, b in zip(taken[name], taken["bare"], strict=True))
            cells.append(f"{statistics.median(ratios):.2f} ({ratios[0]:.2f}–{ratios[-1]:.2f})")
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Print the table of the device."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="five rounds instead of fifteen")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--write", action="store_true", help="keep the table in benchmarks/results")
    options = parser.parse_args()
    torch.set_num_threads(1)
    say("\n".join(heading("The guard", "python benchmarks/steps_guard.py --write", ("torch",))))
    say(f"torch {torch.__version__}, {torch.cuda.get_device_name() if options.device == 'cuda' else 'one CPU thread'}")
    say("")
    say(table(options.device, 5 if options.quick else 15))
    if options.write:
        say.write("steps_guard" if options.device == "cpu" else "steps_guard_card")


if __name__ == "__main__":
    main()
