"""The papers whose claims are judged here, by their numbers at arXiv: one list for all rooms.

A claim names its paper in a few words with the number (:func:`workbench.verdicts.said_in`); whoever wants the whole
reference finds it here. A test keeps the list complete.
"""

import re
from collections.abc import Iterable

PAPERS = {
    "1901.07169": "B. Chen and W. Deng, “Energy confused adversarial metric learning for zero-shot image retrieval and "
    "clustering”, AAAI 2019",
    "2104.15076": "E. A. Paxton et al., “Climate modeling in low precision: effects of both deterministic and "
    "stochastic rounding”, Journal of Climate, 2022",
    "2210.02747": "Y. Lipman et al., “Flow matching for generative modeling”, ICLR 2023",
    "2301.04791": "K. Nguyen, D. Nguyen and N. Ho, “Self-attention amortized distributional projection optimization "
    "for sliced Wasserstein point-cloud reconstruction”, ICML 2023",
    "2302.00482": "A. Tong et al., “Improving and generalizing flow-based generative models with minibatch optimal "
    "transport”",
    "2305.00402": "K. Nguyen and N. Ho, “Sliced Wasserstein estimation with control variates”, ICLR 2024",
    "2305.17555": "T. Le et al., “Diffeomorphic mesh deformation via efficient optimal transport for cortical surface "
    "reconstruction”, ICLR 2024",
    "2307.08698": "Q. Dao, H. Phung, B. Nguyen and A. Tran, “Flow matching in latent space”",
    "2309.15257": "J. Skalse et al., “STARC: a general framework for quantifying differences between reward functions”",
    "2310.04345": "J. Dumouchelle et al., “Neur2RO: neural two-stage robust optimization”",
    "2401.06091": "M. McDermott et al., “A closer look at AUROC and AUPRC under class imbalance”, NeurIPS 2024",
    "2401.12253": "X. Tang et al., “Accelerating Sinkhorn algorithm with sparse Newton iterations”, ICLR 2024",
    "2403.01781": "T. Le et al., “Integrating efficient optimal transport and functional maps for unsupervised shape "
    "correspondence learning”, CVPR 2024",
    "2408.14608": "L. Atanackovic et al., “Meta flow matching: integrating vector fields on the Wasserstein manifold”",
    "2410.00381": "Y. Liu et al., “Downscaling extreme precipitation with Wasserstein regularized diffusion”",
    "2503.10000": "S. Wang et al., “MetricGrids: arbitrary nonlinear approximation with elementary metric grids based "
    "implicit neural representation”, CVPR 2025",
    "2504.00660": "R. Wang et al., “Learning to normalize on the SPD manifold under Bures–Wasserstein "
    "geometry”, CVPR 2025",
    "2506.01603": "R. Komendarczyk, S. Majhi and A. Mitra, “Vietoris–Rips shadow for Euclidean graph reconstruction”",
    "2507.17912": "C. H. Martin and C. Hinrichs, “SETOL: a semi-empirical theory of (deep) learning”",
    "2510.02514": "G. Ohayon et al., “Learning a distance measure from the information-estimation geometry of data”",
    "2510.06030": "R. Goswami and H. Jónsson, “Adaptive pruning for increased robustness and reduced computational "
    "overhead in Gaussian process accelerated saddle point searches”",
    "2512.06791": "V. Sharma, “Small-gain Nash: certified contraction to Nash equilibria in differentiable games”",
    "2602.01408": "M. Adak et al., “General teleparallel theory of defects”",
    "2603.07651": "M. Zhuravlev, “Fisher curvature scaling at critical points”",
    "2603.09067": "M. Zhuravlev, on good regulators and the regime parameter α",
    "2603.13552": "P. Sao, “Ghosts of softmax: complex singularities that limit safe step sizes in cross-entropy”",
    "2604.00593": "T. T. Takeuchi, “A geometric theory of cosmological structure via entropic curvature in Wasserstein "
    "space” (abstract)",
}  # fmt: skip
"""arXiv number → authors, title, place."""
NUMBER = re.compile(r"arXiv:?\s*(\d{4}\.\d{4,5})")


def cited(texts: Iterable[str]) -> list[str]:
    """Return the whole references of papers that texts name, each once and in their order; an unlisted text as it is.

    >>> cited(["Y. Lipman et al., arXiv 2210.02747 (flow matching)", "after arXiv 2210.02747", ""])
    ['Y. Lipman et al., “Flow matching for generative modeling”, ICLR 2023, arXiv 2210.02747']
    """
    found: dict[str, str] = {}
    for text in texts:
        numbers = NUMBER.findall(text)
        for number in numbers:
            found.setdefault(number, f"{PAPERS[number]}, arXiv {number}" if number in PAPERS else text)
        if text and not numbers:
            found.setdefault(text, text)
    return list(found.values())
