"""Two toy generative adversarial networks, linearised where they are linear."""

from workbench import checks
from workbench.games.expressions import Expression, exp, log
from workbench.games.gallery.registry import GALLERY, Example, example
from workbench.games.models.quadratic import QuadraticGame
from workbench.games.models.region import Box
from workbench.games.models.smooth import SmoothGame


@GALLERY.add(
    "dirac-gan",
    label="Dirac-GAN",
    formula=r"\ell = \log(1 + e^{-\theta\psi}),\; \varepsilon,\; \gamma",
    reference="L. Mescheder, A. Geiger, S. Nowozin, arXiv:1801.04406",
    knobs={"decay": (0.0, 2.0, 0.8), "penalty": (0.0, 2.0, 0.8)},
)
def dirac_gan(decay: float = 0.8, penalty: float = 0.8, radius: float = 0.02) -> Example:
    """Return the Dirac-GAN with generator decay and an R1 penalty: certified near 0 iff decay * penalty > 1/4.

    >>> dirac_gan().expected.value
    'CERTIFIED'
    """
    decay, penalty = checks.real("decay", decay, minimum=0), checks.real("penalty", penalty, minimum=0)

    def costs(x: list[Expression]) -> list[Expression]:
        theta, psi = x
        loss = log(1.0 + exp(-theta * psi))
        return [0.5 * decay * theta**2 - loss, loss + 0.5 * penalty * psi**2]

    game = SmoothGame([1, 1], costs=costs, name="Dirac-GAN")
    good = decay * penalty > 0.25
    truth = "circles for ever without regularisation, else converges near 0"
    return example(game, good, truth, [0.5 * radius, 0.0], Box.around([0.0, 0.0], radius))


@GALLERY.add(
    "lq-wgan",
    label="LQ-WGAN",
    formula=r"J = [[\rho, 1],\,[-1, \lambda]]",
    reference="S. Feizi et al., arXiv:1710.10793",
    knobs={"penalty": (0.0, 3.0, 1.5), "decay": (0.0, 3.0, 1.0)},
)
def lq_wgan(penalty: float = 1.5, decay: float = 1.0) -> Example:
    """Return the linear-quadratic WGAN: critic penalty lambda, generator decay rho, certified iff lambda rho > 1."""
    penalty, decay = checks.real("penalty", penalty, minimum=0), checks.real("decay", decay, minimum=0)
    game = QuadraticGame([[decay, 1.0], [-1.0, penalty]], name="LQ-WGAN")
    return example(game, penalty * decay > 1, "converges as soon as penalty + decay > 0", [1.0, 0.0])
