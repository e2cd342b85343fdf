"""What the experiments of this room cost; each family has its own file of estimates."""

from workbench.shapes.correspondences.costs import (  # noqa: F401 - found here by their names
    correspondence_error,
    correspondence_report,
    functional_map,
    matcher_study,
    spectrum,
    transport_term_study,
)
from workbench.shapes.defects.costs import (  # noqa: F401 - found here by their names
    circuit_report,
    circuit_verification,
    defect_dictionaries,
    dislocation_circuits,
    noise_breakdown,
)
from workbench.shapes.fits.costs import (  # noqa: F401 - found here by their names
    approximation_order,
    approximation_orders,
    best_linear_fit,
    compare_fits,
    fit_signal,
    fits_report,
)
from workbench.shapes.shadow.costs import (  # noqa: F401 - found here by their names
    graph_constants,
    rips_agreement,
    shadow_phase,
    shadow_report,
    shadow_scales,
    theorem_runs,
)
from workbench.shapes.surfaces.costs import (  # noqa: F401 - found here by their names
    bend_surface,
    carried_crossings,
    compare_losses,
    deform,
    rule_errors,
    sampling_noise,
    self_intersections,
    surface_report,
)
