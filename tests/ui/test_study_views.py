"""The tabs of the shipped studies, without a browser."""

import re

import panel as pn
import pytest

from workbench.progress import Progress
from workbench.ui.fisher.study import CurvatureStudy
from workbench.ui.flows.study import EstimatorStudy
from workbench.ui.games.study import CertificateStudy
from workbench.ui.kit.study import effort
from workbench.ui.steps.study import SpikeStudy

VIEWS = (EstimatorStudy, CurvatureStudy, SpikeStudy, CertificateStudy)


@pytest.fixture(params=VIEWS, ids=lambda view: view.study)
def view(request):
    return request.param()


def test_every_study_opens_at_once_and_tells(view):
    assert view.cost({}).is_quick
    ds = view.compute({}, Progress())
    view.show(ds)
    assert view.sentence(ds).endswith(".")
    for picture in view.figures:
        assert len(picture.summary(ds)) > 40


def test_every_study_says_what_it_takes(view):
    told = effort(view.study)
    assert re.match(r"[\d,]+ cells, [\d.]+ (s|min|h) of computing when it was made; estimated .*: about ", told), told
    assert any(told in getattr(widget, "object", "") for widget in view.controls() if isinstance(widget, pn.pane.HTML))


def test_every_choice_is_in_the_shipped_result(view):
    ds = view.compute({}, Progress())
    for name in view.display:
        for value in getattr(view.param[name], "objects", [getattr(view, name)]):
            setattr(view, name, value)
            assert "nan" not in view.sentence(ds).lower()
            for picture in view.figures:
                assert "nan" not in picture.summary(ds).lower()
                picture.figure(ds)


def test_sentences_carry_the_numbers():
    estimators, curvature = EstimatorStudy(), CurvatureStudy()
    assert "design errs by" in estimators.sentence(estimators.compute({}, Progress()))
    assert "no peak there" in curvature.sentence(curvature.compute({}, Progress()))
    spikes = SpikeStudy()
    assert "safe survived in all 21 runs" in spikes.sentence(spikes.compute({}, Progress()))
