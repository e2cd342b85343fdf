"""What is fitted: typed formulas by a closed grammar, distances, photographs, and which samples are held out."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from workbench import shapes
from workbench.shapes.fits.signals import centres, sample_points

X = np.array([0.3, -0.7, 0.9])
Y = np.array([-0.2, 0.5, 0.1])


def terms():
    """Texts of the grammar beside their values, made by NumPy and not by the reader."""
    leaves = st.one_of(
        st.just(("x", X)),
        st.just(("y", Y)),
        st.integers(1, 9).map(lambda n: (str(n), np.full(3, float(n)))),
    )

    def grown(inner):
        two = st.tuples(inner, inner)
        return st.one_of(
            two.map(lambda p: (f"({p[0][0]} + {p[1][0]})", p[0][1] + p[1][1])),
            two.map(lambda p: (f"({p[0][0]} − {p[1][0]})", p[0][1] - p[1][1])),
            two.map(lambda p: (f"{p[0][0]}*{p[1][0]}" if "(" not in p[1][0] else f"({p[0][0]})*({p[1][0]})", None)),
            two.map(lambda p: (f"max({p[0][0]}, {p[1][0]})", np.maximum(p[0][1], p[1][1]))),
            inner.map(lambda p: (f"sin({p[0]})", np.sin(p[1]))),
            inner.map(lambda p: (f"(-{p[0]})", -p[1])),
            inner.map(lambda p: (f"({p[0]})^2", p[1] ** 2)),
        ).filter(lambda p: p[1] is not None)

    return st.recursive(leaves, grown, max_leaves=8)


@settings(max_examples=60, deadline=None)
@given(terms())
def test_formulas_mean_what_numpy_says(made):
    text, expected = made
    assert np.allclose(shapes.parse_formula(text)(X, Y), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-x^2", -0.09),
        ("2^3^2", 512),
        ("2**-1", 0.5),
        ("6/3/2", 1),
        ("1 - 2 - 3", -4),
        ("−2·x²", -0.18),
        ("1e-3 + .5", 0.501),
        ("step(x - 0.3) + sign(-x)", 0),
        ("cos(π*x)", np.cos(0.3 * np.pi)),
        ("--x", 0.3),
    ],
)
def test_precedence_and_signs(text, value):
    assert shapes.parse_formula(text)(np.array([0.3]))[0] == pytest.approx(value, abs=1e-15)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("__import__(1)", "not known"),
        ("x.real", "this sign is not read"),
        ("lambda x", "not known"),
        ("sin x", r"'\(' is missing"),
        ("2 x", "an operator is missing"),
        ("(x", r"'\)' is missing"),
        ("x)", "no bracket is open"),
        ("", "empty"),
        ("max(x)", "',' is missing"),
        ("(" * 40 + "x" + ")" * 40, "inside one another"),
        ("-" * 200 + "x", "inside one another"),
        ("x+" * 200 + "x", "letters"),
        ("x ^", "is missing"),
    ],
)
def test_what_is_no_formula_is_refused_with_its_place(text, words):
    with pytest.raises(ValueError, match=words):
        shapes.parse_formula(text)


def test_values_that_are_not_finite_are_told_with_their_place():
    with pytest.raises(ValueError, match=r"not a finite number at x = -0\.9"):
        shapes.signal("log(x)", 20)
    with pytest.raises(ValueError, match="not a finite number"):
        shapes.signal("9^9^9*x", 20)


def test_distances_have_slope_one_and_the_right_sign():
    rng = np.random.default_rng(0)
    p = rng.uniform(-1, 1, (3, 400))
    h = 1e-6
    for name in ("sphere", "box", "torus"):
        f = shapes.SIGNALS[name].function
        steps = h * np.eye(3)
        slope = [(f(*(p + s[:, None])) - f(*(p - s[:, None]))) / (2 * h) for s in steps]
        length = np.linalg.norm(slope, axis=0)
        assert np.median(np.abs(length - 1)) < 1e-8
        assert np.mean(np.abs(length - 1) < 1e-6) > 0.97  # the ridges of a distance have none
    assert shapes.SIGNALS["box"].function(0.0, 0.0, 0.0) == pytest.approx(-0.3)
    assert shapes.SIGNALS["torus"].function(0.55, 0.0, 0.0) == pytest.approx(-0.22)


def test_samples_stand_at_centres_and_x_runs_fastest():
    points = sample_points((2, 4))
    assert points[:, 0].tolist() == centres(4).tolist() * 2
    assert points[0].tolist() == [-0.75, -0.5]
    assert np.abs(shapes.signal("torus").points).max() < 1


def test_a_share_or_a_checkerboard_is_held_out():
    signal = shapes.signal("x*y", 10)
    assert signal.held(0.3, 1).sum() == 30
    assert np.array_equal(signal.held(0.3, 1), signal.held(0.3, 1))
    assert not np.array_equal(signal.held(0.3, 1), signal.held(0.3, 2))
    board = signal.held("checkerboard").reshape(10, 10)
    assert (board[:-1] != board[1:]).all()
    for bad, words in ((0.95, "at most 0.9"), ("half", "checkerboard"), (-0.1, "at least 0")):
        with pytest.raises(ValueError, match=words):
            signal.held(bad)


def test_pictures_are_read_cut_square_and_averaged(tmp_path):
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[:, 30:] = 255
    path = tmp_path / "mine.png"
    Image.fromarray(pixels).save(path)
    signal = shapes.signal(str(path), 20)
    assert signal.shape == (20, 20)
    assert signal.values.reshape(20, 20, 3)[:, :10].max() == 0
    assert signal.values.reshape(20, 20, 3)[:, 10:].min() == 1
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    grey = shapes.signal(np.linspace(0, 1, 900).reshape(30, 30), 16)
    assert (grey.shape, grey.channels) == ((16, 16), 1)


@pytest.mark.parametrize(
    ("source", "size", "words"),
    [
        ("templ", None, "no signal of temple"),
        ("torus", 400, "at most 48"),
        ("temple", 4, "at least 8"),
        (np.full((20, 20), 3.0), None, r"values in \[0, 1\]"),
        (np.full((20, 20), 0.5), None, "constant"),
        ("0*x", None, "constant"),
        (np.zeros((20, 20, 4)), None, r"\(h, w, 3\)"),
        (np.zeros((3, 20)), None, "shorter side"),
    ],
)
def test_what_is_no_signal_is_refused(source, size, words):
    with pytest.raises(ValueError, match=words):
        shapes.signal(source, size)
