"""Finite games with entropy: matching pennies, rock-paper-scissors, and the paper's two-state Markov game."""

import numpy as np

from workbench import checks
from workbench.games.gallery.registry import GALLERY, Example, example
from workbench.games.models.markov import MarkovGame
from workbench.games.models.normal_form import NormalFormGame
from workbench.games.models.region import Box

PENNIES = np.array([[1.0, -1.0], [-1.0, 1.0]])
ROCK_PAPER_SCISSORS = np.array([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]])
CONSERVATIVE = "zero-sum with entropy: converges for every temperature > 0, so a refusal is only conservative"


@GALLERY.add(
    "matching-pennies",
    label="Matching pennies with entropy",
    formula=r"\tau_{SGN} = \tau_e - 1",
    reference="arXiv:2512.06791 applied to entropy-regularised matrix games; closed form of τ",
    knobs={"temperature": (0.1, 3.0, 1.5)},
)
def matching_pennies(temperature: float = 1.5) -> Example:
    """Return matching pennies in logits: certified for all logits iff the temperature exceeds 1."""
    game = NormalFormGame([PENNIES, -PENNIES], temperature, name="matching pennies")
    return example(game, temperature > 1, CONSERVATIVE, [1.0, -1.0, -0.5, 0.5], tau=temperature - 1)


@GALLERY.add(
    "rock-paper-scissors",
    label="Rock-paper-scissors with entropy",
    formula=r"\tau_{SGN} = \tau_e - \sqrt{3}/2",
    reference="arXiv:2512.06791 applied to entropy-regularised matrix games; closed form of τ",
    knobs={"temperature": (0.1, 3.0, 1.2)},
)
def rock_paper_scissors(temperature: float = 1.2) -> Example:
    """Return rock-paper-scissors in logits: certified for all logits iff the temperature exceeds √3/2.

    >>> rock_paper_scissors().game.dimension
    6
    """
    game = NormalFormGame([ROCK_PAPER_SCISSORS, -ROCK_PAPER_SCISSORS], temperature, name="rock-paper-scissors")
    edge = np.sqrt(0.75)
    return example(game, temperature > edge, CONSERVATIVE, [1.0, -0.5, -0.5, -0.5, 1.0, -0.5], tau=temperature - edge)


def two_state_game(discount: float = 0.9, temperature: float = 1.0) -> MarkovGame:
    """Return the common-payoff Markov game of arXiv:2512.06791: matching pays 1, not matching -1, in both states.

    Both playing 0 leads to state 0 with probability .9, both playing 1 to state 1; otherwise it is a coin toss.
    """
    transitions = np.full((2, 2, 2, 2), 0.5)
    transitions[:, 0, 0], transitions[:, 1, 1] = (0.9, 0.1), (0.1, 0.9)
    rewards = np.broadcast_to(PENNIES, (2, 2, 2, 2))
    return MarkovGame(transitions, rewards, discount, temperature)


@GALLERY.add(
    "markov",
    label="Two-state Markov game",
    formula=r"\gamma = .9,\; \tau_e = 1",
    reference="V. Sharma, arXiv:2512.06791",
    knobs={"radius": (0.005, 0.05, 0.02)},
    seconds=8,
)
def markov(radius: float = 0.02, dynamics: str = "natural") -> Example:
    """Return the two-state Markov game as formulas around the uniform policy, certified rigorously near it.

    ``radius`` is the half-width in logit differences: the paper's cube of logits +-.1 has radius .2 here. There a
    margin of 0.1 takes 7,000 leaves.
    """
    radius = checks.real("radius", radius, exclusive_minimum=0, maximum=0.5)
    game = two_state_game().formulas(dynamics)
    region = Box.around(np.zeros(4), radius)
    return example(
        game, radius <= 0.2, "converges to the uniform policy", radius * np.array([0.9, -0.5, 0.3, 0.7]), region
    )
