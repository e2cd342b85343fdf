"""A saddle that looks contracting from the corners of the box."""

from workbench.games.expressions import Expression, tanh
from workbench.games.gallery.registry import GALLERY, Example, example
from workbench.games.models.region import Box
from workbench.games.models.smooth import SmoothGame


@GALLERY.add(
    "vertex-trap",
    label="Vertex-sampling trap",
    formula=r"F_1 = 0.9y_1 - \tanh y_2",
    reference="made here: the coupling is strongest inside, where no corner looks",
)
def vertex_trap() -> Example:
    """Return F = (.9 y_1 - tanh y_2, .9 y_2 - tanh y_1) on [-1, 1]²: margin .480 at corners, -.1 at the centre."""

    def field(y: list[Expression]) -> list[Expression]:
        return [0.9 * y[0] - tanh(y[1]), 0.9 * y[1] - tanh(y[0])]

    game = SmoothGame([1, 1], field=field, name="vertex trap")
    return example(
        game, False, "the origin is a saddle: y_1 = y_2 runs away", [0.3, 0.28], Box([-1.0, -1.0], [1.0, 1.0])
    )
