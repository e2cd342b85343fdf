"""The studies behind the verdicts of this room."""

from workbench.figures import shapes as figures
from workbench.ui.kit.shipped import Shipped, ShippedView, choice_of

SHELF = (
    Shipped("shapes/defects_noise.nc", "Loops in a crystal that is shaken", figures.shaken_loops),
    Shipped("shapes/defects_circuits.nc", "Dislocations in space", figures.circuits_found),
    Shipped(
        "shapes/shadow_window.nc", "Runs inside the theorem's window", figures.runs_in_window, "shapes.theorem_runs()"
    ),
    Shipped(
        "shapes/shadow_first_window.nc",
        "Runs inside the window of the theorem for complexes",
        figures.runs_in_window,
        'shapes.theorem_runs(theorem="T1", xi=0.249, arranged=0)',
    ),
    Shipped("shapes/shadow_scales.nc", "Holes of four graphs over the scales", figures.holes_of_scales),
    Shipped("shapes/shadow_agreement.nc", "Random complexes counted twice", figures.counted_twice),
    Shipped("shapes/surfaces_carried.nc", "Crossings that a certified map carries", figures.crossings_carried),
    Shipped("shapes/surfaces_losses.nc", "Losses at equal time", figures.losses_compared, "shapes.compare_losses()"),
    Shipped(
        "shapes/surfaces_cortex.nc",
        "Losses on the cortex",
        figures.losses_compared,
        "shapes.compare_losses(pairs=('cortex',), sizes=(642, 2562))",
    ),
    Shipped("shapes/surfaces_rules.nc", "Rules on S⁵ for varifolds", figures.errors_of_rules, "shapes.rule_errors()"),
    Shipped("shapes/surfaces_noise.nc", "Samples against the exact distance", figures.samples_against_exact),
    Shipped(
        "shapes/correspondences_methods.nc", "Methods over pairs", figures.errors_of_methods, "shapes.matcher_study()"
    ),
    Shipped(
        "shapes/correspondences_term.nc",
        "What the transport term changes",
        figures.changes_by_term,
        "shapes.transport_term_study()",
    ),
    Shipped("shapes/fits_frontier.nc", "Fits over numbers", figures.frontier, "shapes.compare_fits()"),
    Shipped("shapes/fits_longer.nc", "Longer trainings", figures.frontier_seconds, "shapes.compare_fits(steps=2000)"),
    Shipped(
        "shapes/fits_stopped.nc",
        "Trainings stopped where they are best",
        figures.frontier_seconds,
        'shapes.compare_fits(steps=2000, stopping="best")',
    ),
    Shipped("shapes/fits_orders.nc", "Orders of linear families", figures.order_lines),
)


class ShapesBehindView(ShippedView):
    """What the verdicts on defects, graphs, surfaces, correspondences and fits rest on."""

    shelf = SHELF
    chosen = choice_of(SHELF)
