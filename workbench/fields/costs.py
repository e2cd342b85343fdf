"""What the experiments of this room cost; each family has its own file of estimates."""

from workbench.fields.core.costs import (  # noqa: F401 - found here by their names
    budget_study,
    error_budget,
    field_report,
    irreducible_loss,
    train_field,
    training_study,
)
from workbench.fields.downscaling.costs import (  # noqa: F401 - found here by their names
    downscaling_study,
    inflation_report,
    rain_report,
)
from workbench.fields.latent.costs import (  # noqa: F401 - found here by their names
    additive_counterexample,
    best_dimension,
    codec_study,
    dimension_study,
    latent_flow,
)
from workbench.fields.population.costs import (  # noqa: F401 - found here by their names
    compare_populations,
    own_population_report,
    population_gap,
    population_report,
)
from workbench.fields.sliced.costs import generator_study, train_generator  # noqa: F401 - found here by their names
