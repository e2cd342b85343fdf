"""Every download is a file that its own reader opens."""

import io
import zipfile
from html.parser import HTMLParser

import pandas as pd
import pytest
from demo_room import SineView, sine
from PIL import Image

from workbench import results
from workbench.ui.kit import downloads


@pytest.fixture(scope="module")
def view():
    made = SineView()
    made.show(sine(2.0))
    return made


def test_csv_keeps_every_value(view):
    tables = {name: pd.read_csv(io.BytesIO(data)) for name, data in downloads.to_csv(view.result).items()}
    assert set(tables) == {"time.csv", "values.csv"}
    assert tables["time.csv"]["wave"].to_numpy() == pytest.approx(view.result.wave.values, abs=1e-15)
    assert tables["values.csv"]["frequency"].tolist() == [2.0]


def test_images_are_images(view):
    png = downloads.to_images(view.figures, view.result, "png")
    assert list(png) == ["displacement.png"]
    with Image.open(io.BytesIO(png["displacement.png"])) as image:
        assert image.width > 400
    svg = downloads.to_images(view.figures, view.result, "svg")["displacement.svg"]
    assert b"<svg" in svg


class Links(HTMLParser):
    """Collects everything that a browser would fetch for a page."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        wanted = [value for name, value in attrs if name in ("src", "href") and value]
        self.found += [value for value in wanted if not value.startswith("data:")]


def test_html_stands_alone(view):
    page = downloads.to_html(view.title, view.sentence(view.result), view.figures, view.result).decode()
    assert "0.500 s" in page
    links = Links()
    links.feed(page)
    assert links.found == []


def test_several_files_are_bundled():
    name, data = downloads.bundle({"a.csv": b"1", "b.csv": b"2"}, "stem")
    assert name == "stem-csv.zip"
    assert zipfile.ZipFile(io.BytesIO(data)).read("b.csv") == b"2"
    assert downloads.bundle({"a.csv": b"1"}, "stem") == ("stem.csv", b"1")


def test_buttons_make_the_files(view):
    row = downloads.Downloads(view)
    made = {button.label: (button.callback().read(), button.filename) for button in row._buttons}
    assert set(made) == {"NetCDF", "CSV", "PNG", "SVG", "HTML", "Python"}
    assert results.open_bytes(made["NetCDF"][0]).attrs == view.result.attrs
    assert made["CSV"][1] == "workbench-sine-csv.zip"
    assert b"frequency=2.0" in made["Python"][0]


def test_buttons_wait_for_a_result():
    empty = SineView()
    row = downloads.Downloads(empty)
    assert all(button.disabled for button in row._buttons)
    empty.show(sine(1.0))
    assert not any(button.disabled for button in row._buttons)
