"""Models, cycles, the soil: known numbers, conserved quantities, and second ways to the same result."""

import numpy as np
import pytest

from workbench import flows
from workbench.flows.bits import kernels, models, shallow_water
from workbench.flows.bits.rounding import number_format
from workbench.progress import Cancelled, Progress

DOUBLE, STREAM = number_format(52), np.zeros(1, np.uint64)
STARTS = ((1, 2, 20), (-3, 4, 25), (5, 5, 30))


@pytest.mark.parametrize(
    ("bits", "periods"),
    [
        (6, (308, 308, 308)),
        (7, (901, 231, 231)),
        (8, (1082, 1082, 1082)),
        (9, (2678, 2678, 2098)),
        (10, (1786, 19366, 1786)),
        (11, (33428, 771, 33428)),
        (12, (9817, 9817, 9817)),
    ],
)
def test_periods_of_lorenz_63(bits, periods):
    found = [flows.find_cycle("lorenz63", bits, start) for start in STARTS]
    assert tuple(c.period for c in found) == periods


def test_a_cycle_is_what_brute_force_finds():
    found = flows.find_cycle("lorenz63", 6, STARTS[0])
    run = flows.low_precision_run("lorenz63", 6, runs=1, steps=3000, every=1, spin_up=0, start=STARTS[0])
    states = [np.array([1.0, 2.0, 20.0]).tobytes(), *(state.tobytes() for state in run.state.values[0])]
    first_seen: dict[bytes, int] = {}
    for n, state in enumerate(states):
        if state in first_seen:
            assert (found.transient, found.period) == (first_seen[state], n - first_seen[state])
            break
        first_seen[state] = n
    on_cycle = {state.tobytes() for state in found.orbit}
    assert len(on_cycle) == found.period
    assert set(states[found.transient :]) == on_cycle


def test_cycles_have_names_and_can_be_missed():
    a, b, c = (flows.find_cycle("lorenz63", 10, start) for start in STARTS)
    assert a.name != b.name
    mirrored = flows.find_cycle("lorenz63", 10, (-1, -2, 20))  # nearest is odd, and so is Lorenz-63 in x and y
    assert mirrored.period == a.period
    missed = flows.find_cycle("lorenz63", 23, STARTS[0], 5000)
    assert (missed.period, missed.transient, missed.steps, missed.name) == (None, None, 5000, b"")
    assert c.orbit.shape == (1786, 3)
    with pytest.raises(ValueError, match="3 variables"):
        flows.find_cycle("lorenz63", 10, (1, 2))
    with pytest.raises(TypeError, match="by its name"):
        flows.find_cycle(lambda x: x, 10, (1, 2))
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        flows.find_cycle("lorenz63", 23, STARTS[0], progress=progress)


@pytest.mark.parametrize(
    ("bits", "state"), [(8, [2.2890625, 3.875, 19.0]), (10, [-0.86474609375, -1.552734375, 14.484375])]
)
def test_lorenz_63_after_a_thousand_steps(bits, state):
    ds = flows.low_precision_run("lorenz63", bits, runs=1, steps=1000, every=1000, spin_up=0, start=STARTS[0])
    assert ds.state.values[0, 0].tolist() == state


def test_double_precision_is_an_ordinary_integrator():
    from scipy.integrate import solve_ivp

    for name, start in (("lorenz63", np.array([1.0, 2, 20])), ("channel", np.array([0.9, 0.1, -0.1, -0.7, 0.1, -0.1]))):
        entry = models.MODELS[name]
        c = models.constants(entry, 0.001, None)

        def slope(_, x, c=c, entry=entry):
            k = np.empty_like(x)
            kernels.tendency(entry.fact("kernel"), x, k, c, DOUBLE, STREAM)
            return k

        ours = flows.low_precision_run(name, 52, runs=1, steps=1000, every=1000, step=0.001, spin_up=0, start=start)
        exact = solve_ivp(slope, (0, 1), start, rtol=1e-11, atol=1e-12).y[:, -1]
        np.testing.assert_allclose(ours.state.values[0, 0], exact, rtol=1e-7)


@pytest.mark.parametrize(("ridge", "invariants"), [(0.2, 1), (0.0, 3)])
def test_the_channel_conserves_energy_and_without_ridge_enstrophy(ridge, invariants):
    """A wrong coefficient leaves no quadratic invariant; without the ridge x₁ stands still, which is the third."""
    c = np.array([0.0] * 4 + models.channel(damping=0.0, ridge=ridge))
    rng, rows = np.random.default_rng(0), []
    for _ in range(40):
        x, k = rng.normal(size=6), np.empty(6)
        kernels.channel(x, k, c, DOUBLE, STREAM)
        rows.append(x * k)
    values = np.linalg.svd(np.array(rows), compute_uv=False)
    assert (values < 1e-12).sum() == invariants


def test_lorenz_96_conserves_energy_without_forcing_and_damping():
    x, k = np.random.default_rng(0).normal(size=40), np.empty(40)
    kernels.lorenz96(x, k, np.array([0, 0, 0, 0, 8.0]), DOUBLE, STREAM)
    assert abs(x @ (k + x - 8.0)) < 1e-11


def test_shallow_water_keeps_its_mass_and_a_balanced_jet():
    c = models.constants(models.MODELS["shallow-water"], 0.1, {"friction": 0.0, "viscosity": 0.0, "ridge": 0.0})
    x, k = shallow_water.start(np.random.default_rng(0)), np.empty(3 * shallow_water.CELLS)
    kernels.tendency(kernels.SHALLOW_WATER, x, k, c, DOUBLE, STREAM)
    assert abs(k[: shallow_water.CELLS].sum()) < 1e-13
    still = np.concatenate([np.ones(shallow_water.CELLS), np.zeros(2 * shallow_water.CELLS)])
    kernels.tendency(kernels.SHALLOW_WATER, still, k, c, DOUBLE, STREAM)
    assert not k.any()
    # second engine: the same formulas with NumPy's shifts
    h, hu, hv = x.reshape(3, shallow_water.ROWS, shallow_water.COLUMNS)

    def ddx(a):
        return np.roll(a, -1, 1) - np.roll(a, 1, 1)

    def ddy(a, sign):
        padded = np.concatenate([sign * a[:1], a, sign * a[-1:]])
        return padded[2:] - padded[:-2]

    kernels.tendency(kernels.SHALLOW_WATER, x, k, c, DOUBLE, STREAM)
    dh, dhu, dhv = k.reshape(3, shallow_water.ROWS, shallow_water.COLUMNS)
    f = c[4]
    np.testing.assert_allclose(dh, -(ddx(hu) + ddy(hv, -1)), atol=1e-14)
    np.testing.assert_allclose(dhu, f * hv - ddx(hu**2 / h + h**2 / 2) - ddy(hu * hv / h, -1), atol=1e-14)
    np.testing.assert_allclose(dhv, -f * hu - ddx(hu * hv / h) - ddy(hv**2 / h + h**2 / 2, 1), atol=1e-14)


def test_runs_are_repeatable_and_precisions_differ():
    a, b = (flows.low_precision_run("channel", 12, "stochastic", runs=2, steps=200, seed=5) for _ in range(2))
    np.testing.assert_array_equal(a.state, b.state)
    other = flows.low_precision_run("channel", 12, "stochastic", runs=2, steps=200, seed=6)
    assert (a.state != other.state).any()
    water = flows.low_precision_run("shallow-water", 10, runs=1, steps=100)
    np.testing.assert_array_equal(water.state, flows.round_to(water.state, 10))


def test_a_layer_that_runs_dry_is_an_error_in_words():
    with pytest.raises(ValueError, match="left the finite numbers"):
        flows.low_precision_run("shallow-water", 52, runs=1, steps=2000, parameters={"jet": 5.0})


# ---- the soil -------------------------------------------------------------------------------------------------------


def test_the_closed_form_and_the_double_scheme():
    exact = flows.soil_exact(60 * 17_520)
    np.testing.assert_allclose(
        exact[[1, 5, 15, 30, 60]],
        [279.90721193152615, 279.5373175494001, 278.64315030644815, 277.4904385524423, 276.42989491099087],
        rtol=1e-14,
    )
    ds = flows.soil_column(52, years=2, frames=3)
    assert float(np.abs(ds.error).max()) < 5e-11
    np.testing.assert_allclose(flows.soil_exact(0)[1:], 273.15, rtol=1e-12)


@pytest.mark.parametrize(
    ("bits", "nodes", "values"),
    [
        (16, [1, 2, 3], [276.171875, 273.88671875, 273.1484375]),
        (14, [1, 2], [273.484375, 273.15625]),
        (23, [30], [273.2308044433594]),
        (13, [1, 60], [273.15625, 273.15625]),
    ],
)
def test_where_the_soil_stops(bits, nodes, values):
    assert flows.soil_column(bits, frames=3).temperature.values[-1, nodes].tolist() == values


@pytest.mark.parametrize("bits", [13, 14, 15, 16, 17, 18])
def test_the_limit_profile_without_time_is_the_one_of_the_long_run(bits):
    ds = flows.soil_column(bits, years=100, frames=11)
    np.testing.assert_array_equal(flows.stagnation_profile(bits), ds.temperature.values[-1])
    bend = ds.curvature.values[-1, 1:-1]
    assert (bend <= float(ds.threshold) * (1 + 1e-12)).all()


def test_thirteen_bits_never_move_and_fourteen_do():
    step = 280.0 - 273.15
    assert flows.stagnation_threshold(13) > step > flows.stagnation_threshold(14)
    with pytest.raises(ValueError, match="greater than 0"):
        flows.stagnation_threshold(13, scale=0)


def test_stochastic_rounding_warms_the_soil_as_exact_arithmetic_does_on_average():
    five, members = 5 * 17_520, 24
    runs = [
        flows.soil_column(10, "stochastic", years=5, frames=2, seed=k).temperature.values[-1] for k in range(members)
    ]
    xi = float(flows.round_to(7e-7 * 1800, 10))
    assert xi == 0.0012598037719726562
    exact = flows.soil_exact(five, factor=xi, start=273.25)
    mean, error = np.mean(runs, axis=0), np.std(runs, axis=0, ddof=1) / np.sqrt(members)
    for node in (1, 2, 5, 10):
        assert abs(mean[node] - exact[node]) < 4 * error[node]
    assert abs(flows.soil_column(10, years=5, frames=2).temperature.values[-1, 1] - exact[1]) > 3  # nearest does not


def test_the_spread_of_stochastic_runs_is_bounded_by_the_lyapunov_equation():
    steps, members = 17_520, 100
    runs = np.array(
        [flows.soil_column(10, "stochastic", years=1, frames=2, seed=k).temperature.values[-1] for k in range(members)]
    )
    bound, seen = flows.soil_deviation(10, steps), runs.std(axis=0, ddof=1)
    assert bound[0] == 0
    relative = (seen[1:] / bound[1:]) ** 2
    assert (relative < 1 + 5 * np.sqrt(2 / (members - 1))).all()
    assert (relative[:3] > 0.25).all()  # and the bound is no empty one


def test_the_lyapunov_recursion_is_the_matrix_equation():
    steps, n = 40, 60
    xi, spacing = float(flows.round_to(7e-7 * 1800, 12)), 2.0 ** (8 - 12)
    a = (1 - 2 * xi) * np.eye(n) + xi * (np.eye(n, k=1) + np.eye(n, k=-1))
    a[-1, -1] = 1 - xi
    mean, covariance = np.full(n, float(flows.round_to(273.15, 12))), np.zeros((n, n))
    push = np.zeros(n)
    push[0] = xi * 280.0
    for _ in range(steps):
        step = a @ mean + push - mean
        square = step**2 + np.diag((a - np.eye(n)) @ covariance @ (a - np.eye(n)).T)
        covariance = a @ covariance @ a.T + np.diag(np.sqrt(square) * spacing - square + 4.0**-12 / 4 * square)
        mean = mean + step
    np.testing.assert_allclose(flows.soil_deviation(12, steps)[1:] ** 2, np.diag(covariance), rtol=1e-10, atol=1e-18)
    with pytest.raises(ValueError, match="bits must be at least 5"):
        flows.soil_deviation(4, 10)
