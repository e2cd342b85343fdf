"""The paper's numbers: its predictions follow from its formula, the rival from the specific heat."""

import pytest

from workbench import fisher


@pytest.mark.parametrize(
    ("model", "predicted", "rival"),
    [
        ("ising-2d", 10 / 9, 1),
        ("potts-3", 33 / 29, 6 / 5),
        ("potts-4", 22 / 19, 3 / 2),
        ("ising-3d", 1.0188, 1.058),
        ("xy-3d", 1.0186, 1),
        ("heisenberg-3d", 1.0173, 1),
    ],
)
def test_exponents(model, predicted, rival):
    exponents = fisher.EXPONENTS[model]
    assert exponents.predicted == pytest.approx(predicted, abs=5.1e-5)
    assert exponents.rival == pytest.approx(rival, abs=5e-4)
    assert fisher.CANDIDATES["paper"](exponents) == exponents.predicted
    assert fisher.CANDIDATES["specific heat"](exponents) == exponents.rival
    assert exponents.logarithmic == (model == "ising-2d")


def test_data_sit_at_the_rival_for_three_colours():
    table = fisher.published("potts-3")
    fit = fisher.fit_power_law(table.sites, table.absolute_curvature, errors=table.absolute_curvature_error)
    assert fit.exponent == pytest.approx(1.20, abs=0.01)


def test_unknown_models_are_named():
    with pytest.raises(ValueError, match="ising-2d, potts-3"):
        fisher.published("potts-9")
