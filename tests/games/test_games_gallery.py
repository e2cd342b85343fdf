"""Every game of the gallery gets the verdict it must, and the must-refuse rows refuse."""

import numpy as np
import pytest

from workbench import games
from workbench.games import GALLERY, Status
from workbench.games.certificates.basin import newton


@pytest.mark.parametrize("name", list(GALLERY))
def test_expected_verdict(name):
    example = GALLERY[name]()
    options = {"method": "leafwise", "alpha": 0.2} if name == "markov" else {}
    certificate = games.certify(example.game, example.region, **options)
    assert certificate.status is example.expected
    if example.tau is not None:
        assert certificate.tau == pytest.approx(example.tau, rel=1e-9, abs=1e-9)
    text = certificate.to_json()
    assert games.check(text) == certificate.certified
    if certificate.status is Status.REFUSED:
        assert games.check_refusal(text)
    assert len(example.start) == example.game.dimension
    assert np.isfinite(example.game.field(example.start)).all()


MUST_REFUSE = [
    ("bilinear", {}),
    ("regularised-bilinear", {"c": 2.0}),
    ("regularised-bilinear", {"c": 1.0}),
    ("toy", {"a": 10.0, "b": 0.11}),
    ("mix", {"c": 1.5, "t": 1.0}),
    ("mix", {"c": 1.0, "t": 1.0}),
    ("linear-cournot", {"firms": 3}),
    ("linear-cournot", {"firms": 3, "b": 0.1}),
    ("linear-cournot", {"firms": 4}),
    ("linear-bertrand", {"c": 1.1}),
    ("linear-bertrand", {"c": 1.0}),
    ("lq-wgan", {"penalty": 0.5, "decay": 2.0}),
    ("lq-wgan", {"penalty": 0.5, "decay": 1.0}),
    ("dirac-gan", {"decay": 0.5, "penalty": 0.49}),
    ("lq-64", {"coupling": 1.4143}),
    ("matching-pennies", {"temperature": 1.0}),
    ("rock-paper-scissors", {"temperature": 0.866025}),
    ("strict-saddle-lq", {}),
    ("vertex-trap", {}),
]


@pytest.mark.parametrize(("name", "options"), MUST_REFUSE)
def test_must_refuse(name, options):
    example = GALLERY[name](**options)
    certificate = games.certify(example.game, example.region)
    assert certificate.status in (Status.REFUSED, Status.UNKNOWN)
    assert not games.check(certificate)
    assert certificate.reason


def test_boundary_is_never_certified():
    """tau = 0 up to rounding, for a thousand games built to sit on the edge."""
    rng = np.random.default_rng(0)
    for _ in range(1000):
        mu = 10 ** rng.uniform(-2, 2, 2)
        l12 = 10 ** rng.uniform(-2, 2)
        bounds = games.Bounds(mu, mu, [[0, l12], [mu[0] * mu[1] / l12, 0]])
        certificate = games.certify(bounds)
        assert not certificate.certified
        assert not games.check(certificate)


@pytest.mark.parametrize(
    ("name", "options", "tau"),
    [
        ("regularised-bilinear", {"c": 0.5}, 0.5),
        ("toy", {}, 0.2928932188134525),
        ("linear-bertrand", {"c": 0.9}, 0.4),
        ("linear-cournot", {"firms": 2}, 1.0),
        ("lq-64", {"coupling": 1.414}, 1 - 1.414 * np.sqrt(0.5)),
    ],
)
def test_known_margins(name, options, tau):
    assert games.certify(GALLERY[name](**options).game).margin == pytest.approx(tau, rel=1e-7, abs=1e-9)


def test_lq_64_euclid_threshold():
    for coupling, good in ((0.198, True), (0.2, False)):
        j = GALLERY["lq-64"](coupling=coupling).game.matrix
        assert (np.linalg.eigvalsh(0.5 * (j + j.T))[0] > 0) is np.bool_(good)


def test_bertrand_refusal_is_true():
    assert np.linalg.eigvals(GALLERY["linear-bertrand"](c=1.1).game.matrix).real.min() < 0


def test_strict_saddle_is_a_nash_point_and_a_saddle():
    example = GALLERY["strict-saddle-lq"]()
    nash = newton(example.game, example.region.centre)
    np.testing.assert_allclose(nash, example.region.centre, atol=1e-7)
    eigenvalues = np.linalg.eigvals(example.game.jacobian(nash))
    assert eigenvalues.real.min() == pytest.approx(-0.0081, abs=1e-4)
    assert np.abs(eigenvalues.imag).max() == pytest.approx(0.0216, abs=1e-4)


def test_dirac_gan_threshold_at_the_origin():
    game = GALLERY["dirac-gan"](decay=0.7, penalty=0.4).game
    np.testing.assert_allclose(game.jacobian([0.0, 0.0]), [[0.7, 0.5], [-0.5, 0.4]], atol=1e-15)
