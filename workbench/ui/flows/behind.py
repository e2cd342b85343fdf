"""The studies behind the verdicts of this room."""

from workbench.figures import flows as figures
from workbench.ui.kit.shipped import Shipped, ShippedView, choice_of

SHELF = (
    Shipped("flows/directed_searches.nc", "Searches for the largest slice", figures.search_shares),
    Shipped("flows/directed_quadratures.nc", "Means over a von Mises–Fisher law", figures.rule_errors),
    Shipped("flows/directed_driven.nc", "Flows driven by each slicing", figures.driven_curves),
    Shipped("flows/directed_amortised.nc", "Axes predicted by a network", figures.amortised_gains),
    Shipped("flows/covariances_audit.nc", "Steps of the mean of covariances", figures.audit_curves),
    Shipped("flows/covariances_study.nc", "Layers that normalise covariances", figures.layer_accuracies),
    Shipped("flows/sns_random.nc", "Sparse Newton on random costs", figures.table_of_solvers, "(…, repeats=10)"),
    Shipped("flows/sns_digits.nc", "Sparse Newton on digits", figures.table_of_solvers, "(…, repeats=10)"),
    Shipped("flows/sns_sweep.nc", "Sparse Newton over η", figures.newton_steps, "(etas=…, repeats=3)"),
    Shipped("flows/sns_sparsity.nc", "Are Sinkhorn's plans sparse?", figures.sparsity_decay),
    Shipped("flows/exact_scaling.nc", "Time of exact transport", figures.exact_growth),
    Shipped("flows/bits_lorenz63.nc", "Lorenz-63 in few bits", figures.format_errors, "precision_sweep('lorenz63'"),
    Shipped("flows/bits_lorenz96.nc", "Lorenz-96 in few bits", figures.format_errors, "precision_sweep('lorenz96'"),
    Shipped("flows/bits_channel.nc", "Shallow water in few bits", figures.format_errors, "precision_sweep('channel'"),
)


class FlowsBehindView(ShippedView):
    """What the verdicts of the four papers on transport and few bits rest on."""

    shelf = SHELF
    chosen = choice_of(SHELF)
