"""What the experiments of this room cost; each family has its own file of estimates."""

from workbench.metrics.embeddings.costs import (  # noqa: F401 - found here by their names
    confusion_sight,
    embedding_confusions,
    embedding_invariances,
    embedding_report,
    energy_confusion,
    hide_from,
    retrieval,
    zero_shot,
)
from workbench.metrics.rankings.costs import (  # noqa: F401 - found here by their names
    ap_range,
    bootstrap,
    compare,
    group_repairs,
    interval_study,
    ranking,
    ranking_confusions,
    ranking_invariances,
    ranking_report,
    repair_drift,
    repairs,
)
from workbench.metrics.rewards.costs import (  # noqa: F401 - found here by their names
    fooled_distances,
    grid_rewards,
    regret_bounds,
    regret_correlations,
    regret_verification,
    reward_blindness,
    reward_distances,
    reward_invariances,
)
from workbench.metrics.signals.costs import (  # noqa: F401 - found here by their names
    confusable_pairs,
    denoiser_trial,
    fit_mixture,
    iem,
    iem_geodesic,
    iem_matrix,
    iem_tensor,
    information_balance,
    masking_study,
    photograph_study,
    points_report,
    recognition_study,
    signal_invariances,
    signal_report,
)
from workbench.metrics.spectra.costs import (  # noqa: F401 - found here by their names
    large_spectrum,
    score_layers,
    score_networks,
    spectra_confusions,
    spectra_invariances,
    spectrum_report,
    tail_coverage,
    training_spectra,
    unlearned_spectra,
)
