"""Every tab of every room without a browser: it answers, tells, draws, downloads, and its address finds it again."""

import html
import json
import re

import pytest
from drawing import draw

from workbench import results
from workbench.ui.home import room_classes

PATIENCE = 120  # seconds: the first run in a fresh checkout compiles the kernels
TABS = [
    pytest.param(room, view, id=f"{name}-{view.slug}")
    for name, room in room_classes().items()
    for view in room.view_classes
]
FINDINGS = {
    ("flows", "flow"): r"SW₂² [\d.e+-]+ ± [\d.e+-]+ after 60 steps",
    ("flows", "compare"): "has the smallest error",
    ("flows", "directions"): "This draw of 100 directions estimates",
    ("flows", "colours"): "SW₂² of the palettes fell from",
    ("flows", "paper"): r"Exact W₂² at step 3000 \(mean",
    ("fisher", "growth"): "Least squares over L = 6…9 gives the exponent 1.1115",
    ("fisher", "metric"): r"The metric's eigenvalues run from 0\.2595 to 4\.755",
    ("fisher", "across"): "falls monotonically",
    ("fisher", "live"): "after 1,024 samples from each chain",
    ("fisher", "models"): r"the paper predicts 1\.1379",
    ("fisher", "identity"): "In 24 random tensors",
    ("fisher", "regulators"): r"Model A says α = 0\.60 .* wants c = ∞ .*; 0 of 4 natural learners agree",
    ("fisher", "web"): r"Knots 2\d\.\d%, saddles .* the power spectrum says [\d.e+]+, [\d.]+ standard errors away",
    ("fisher", "pairs"): r"At N = ∞ this pair has K = 0\.\d+ = 0\.\d+ \(the pair's own\) \+ 0\.\d+ \(the reference\)",
    ("fisher", "transport"): r"W = 0\.\d+ to the uniform density, with ln ρ reproduced to \de-\d+ in every cell",
    ("steps", "zeros"): r"converged: ρ_a = [\d.e-]+, ρ_dom",
    ("steps", "taylor"): "The series of this loss converges up to about τ",
    ("steps", "limits"): "The loss reaches q times its start at τ",
    ("steps", "sweep"): "converged: at r < 1 at most",
    ("steps", "spike"): r"Test accuracy at the end: .*SafeStep 0\.\d+",
    ("steps", "text"): r"rate: held-out loss from 2\.\d+",
    ("steps", "training"): r"300 steps\. Step 15\d was the worst",
    ("steps", "bottlenecks"): "limits the step to ρ_a",
    ("steps", "temperature"): "Standard deviation of log10",
    ("steps", "saddles"): r"\d+ calls; a first-order saddle .* proved to be one of the 2 in the box",
    ("steps", "molecules"): r"\d of 8 searches .* reached a first-order saddle",
    ("steps", "saddle-study"): r"mueller-brown, saddles reached: gp \d+ of 50",
    ("games", "contraction"): r"CERTIFIED: margin 0\.292893",
    ("games", "weights"): "best margin is τ",
    ("games", "steps"): "Certified up to",
    ("games", "rates"): "truly stable rates",
    ("games", "gains"): "Small-gain radius",
    ("games", "box"): "leaves with one common w",
    ("games", "ladder"): "Passed:",
    ("games", "delays"): "never exceeds the certified bound",
    ("games", "robust"): r"none is worth more than",
    ("games", "capital"): r"samples, .* too good",
    ("games", "check"): r"The certificate holds: margin 0\.292893",
    ("metrics", "spectra"): r"α = \d\.\d\d \(exact [\d.]+–[\d.]+ at this threshold; .* Its ERG threshold lies",
    ("shapes", "crystal"): r"This loop of \d+ bonds encloses b = \(1, 0\), Ω = 0; exact, and the small checker agrees",
    ("shapes", "check-circuit"): r"circuit of \d+ steps is proved to enclose b = \(1, 0\), Ω = 0",
    (
        "shapes",
        "graphs",
    ): r"1 piece and 1 hole \(exact\), as the graph\. .* proved, an apex at all [\d,]+ cells\. Euclidean",
    ("shapes", "surfaces"): r"The map is a diffeomorphism: 4 steps with ρ ≤ 0\.\d+, .* has 0 crossing pairs \(exact\)",
    ("shapes", "bend"): r"Nothing is moved yet; the mesh has 0 crossing pairs \(exact\)\. ASSD 0\.09",
    (
        "shapes",
        "fits",
    ): r"Cubic spline grid, 5,808 numbers: \d+\.\d dB on samples it has not seen .* dB on what it saw: proved\.",
    ("shapes", "dictionaries"): "the charge that they give depends on the frame",
    ("fields", "codecs"): r"The codec loses 1\.24 ± .* less than W₂² = \d\.\d+ of the rows kept out",
    ("fields", "fields"): r"stands nearer the truth: 0\.\d+ ± .* from the memoriser .* L\* = \d\.\d+",
    ("fields", "training"): r"After 2,000 steps the network is 0\.\d+ ± 0\.\d+ from the exact field and",
    ("fields", "budget"): r"Both flows end 0\.\d+ ± 0\.\d+ apart; the one-sided bound says .* a proved one 10\^\d+",
    (
        "fields",
        "sliced-losses",
    ): r"W₂ to held-out digits after 600 steps, beside Monte Carlo .* before training",
    (
        "fields",
        "latent",
    ): r"Use k = 64: 0\.00 lost by the projection and 0\.\d+ ± .* the classical bound says 10\^\d+",
    ("fields", "downscaling"): r"w = 0\.2 multiplies the spread by 1\.28 with the ODE sampler: .* becomes 302 mm",
    ("fields", "own-rain"): r"1,500 days, \d\d% of the values wet, .* 1,000-day level is \d+ mm by the fit",
    ("shapes", "correspondences"): r"Mean geodesic error \d\.\d+ .*the best map that this basis allows has \d\.\d+; ",
    ("fields", "own-populations"): r"On 12 populations, each kept out of training, .* W₂ falls by \+\d\.\d+ ± 0\.\d+",
    ("fields", "populations"): r"Here W₂ to the truth is 0\.\d+ with meta flow matching, .* of 20\.",
    ("metrics", "rankings"): r"AUROC 0\.\d+ ± 0\.\d+, AP 0\.\d+ ± .* AP could be anything from 0\.\d+ to 0\.\d+",
    ("metrics", "drift"): r"score scale only \+0\.01\d+ in every sample",
    ("metrics", "signals"): r"a to b: IEM 1\.734 ±.*: 3\.443",
    ("metrics", "signal-points"): "bumps fitted to 400 signals",
    ("metrics", "check-regret"): r"The certificate holds: 0\.99999\d+ ≤ W ≤ 1\.0 is proved for a world of 17 states",
    ("metrics", "photographs"): r"At RMSE 0\.04: brighter \d",
    ("metrics", "embeddings"): r"Over 252 splits λ = 0\.13 changes it by [+-]0\.\d+ ± 0\.\d+ \(binomial",
    ("metrics", "zero-shot"): r"Over 252 splits of 252, λ = 0\.13 changes MAP@R .*binomial [+-]0\.\d+ ± .* splits\.",
    ("metrics", "confusion"): r"Energy confusion stands at 5\.03\d+ .* MAP@R from 0\.697 to 0\.9",
}

NOT_A_NUMBER = re.compile(r"\bnan\b", re.IGNORECASE)  # and not the middle of "determinant"


def answered(view):
    """Let the view compute what it computes when its tab is first seen."""
    view.start()
    assert view.runner.wait(PATIENCE)
    assert view.complaint == ""
    assert view.result is not None
    return view.result


@pytest.mark.parametrize(("room", "view_class"), TABS)
def test_every_tab_answers_tells_draws_and_is_saved(room, view_class):
    view = view_class()
    ds = answered(view)
    sentence = view.sentence(ds)
    assert re.search(FINDINGS.get((room.slug, view.slug), r"\w+ .*\w"), sentence)
    assert not NOT_A_NUMBER.search(sentence)
    assert sentence in html.unescape(view._sentence.object)
    assert view.experiment_name() in ("", ds.attrs["function"])  # a shipped study is no result that opens in a tab
    for picture in view.figures:
        assert len(picture.summary(ds)) > 10
        assert not NOT_A_NUMBER.search(picture.summary(ds))
        for backend in ("bokeh", "matplotlib"):
            draw(picture.figure(ds), backend)
    assert view.figures or len(view._shown), "a tab without a picture"
    back = results.open_bytes(results.to_bytes(ds), name="saved.nc")
    assert back.identical(ds)
    view.close()


@pytest.mark.parametrize("room", room_classes().values(), ids=lambda room: room.slug)
def test_the_address_of_a_tab_opens_it(room):
    """Each tab has an address of its own, and no address of a tab brings a complaint."""
    slugs = [view.slug for view in room.view_classes]
    assert len(set(slugs)) == len(slugs) >= 1
    for slug in slugs:
        made = room()
        made.read_address(f"?tab={slug}")
        assert made.view.slug == slug
        assert made.state()["tab"] == slug
        assert made.notice == ""
        made.close()


NAMED = [
    ("fisher", "tab=metric&L=2", "which is not allowed (3 to 128)"),
    ("flows", "tab=flow&method=guesswork&n=10", "Estimator = 'guesswork'"),
    ("flows", "tab=flow&method=guesswork&n=10", "50 to 5000"),
    ("steps", "tab=zeros&network=resnet-9000", "resnet-9000"),
    ("games", "tab=contraction&game=chess&time=-4", "Game = 'chess'"),
]
REFUSED = [
    ("fisher", "extra=2", "every bond is doubled"),
    ("steps", "tab=spike&steps=40&at=100", "the spike at step 100 comes after the last of 40 steps"),
    ("games", "tab=contraction&game=linear-cournot&knob_1=99", "outside 2 to 12"),
]


def opened(room, address):
    made = room_classes()[room]()
    made.read_address(f"?{address}")
    assert made.view.runner.wait(PATIENCE)
    return made


@pytest.mark.parametrize(("room", "address", "words"), NAMED)
def test_what_an_address_may_not_say_is_named_and_the_page_answers(room, address, words):
    made = opened(room, address)
    assert words in made.notice
    assert made.view.result is not None
    made.close()


@pytest.mark.parametrize(("room", "address", "words"), REFUSED)
def test_what_cannot_be_computed_is_refused_in_words(room, address, words):
    made = opened(room, address)
    assert words in made.view.complaint
    made.close()


def test_long_work_of_an_address_is_announced_and_waits():
    made = opened("fisher", "extra=200")
    assert re.search(r"about \d+ (s|min), 5\.\d GB", str(made.view.cost(made.view.values())))
    assert made.view.complaint == ""
    assert made.view.result is None or 200 not in made.view.result.L
    assert not made.view.runner.busy
    made.close()


def test_the_trap_is_told():
    made = opened("games", "tab=box&game=vertex-trap")
    assert "The corners look fine, the inside is not" in made.view.sentence(made.view.result)
    made.close()


def test_the_laboratory_trains_when_asked():
    made = opened("steps", "tab=spike&steps=100&at=20&seed=5")
    assert not made.view.runner.busy
    made.view.run()
    assert made.view.runner.wait(PATIENCE)
    assert re.search(r"Test accuracy at the end: none 0\.\d+", made.view.sentence(made.view.result))
    assert json.loads(made.view.result.attrs["parameters"])["seeds"] == [5]
    made.close()


def test_the_first_flow_can_be_taken_home():
    made = opened("flows", "tab=flow")
    flow = results.open_bytes(results.to_bytes(made.view.result), name="flow.nc")
    assert flow.attrs["function"] == "workbench.flows.gradient_flow"
    assert flow.positions.shape == (61, 1000, 3)
    made.close()
