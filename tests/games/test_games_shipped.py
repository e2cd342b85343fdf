"""The certificates that ship: they are intact, they prove what they say, and the script makes them again."""

import json

import pytest

from workbench import data, games


@pytest.mark.parametrize(("name", "kind"), [("toy", "perron"), ("cournot", "leafwise")])
def test_shipped_certificates_hold(name, kind):
    path = data.path(f"games/{name}.json")
    certificate = games.Certificate.from_json(path.read_text())
    assert certificate.kind == kind
    assert games.check(path)
    assert games.verify(path.read_text().replace("1.147", "1.157").replace("0.2928", "0.2938")).valid is False


def test_shipped_refusal_holds():
    assert games.check_refusal(data.path("games/trap.json"))


def test_the_toy_is_made_again_to_the_digit():
    shipped = json.loads(data.path("games/toy.json").read_text())
    again = json.loads(games.certify(games.GALLERY["toy"]().game).to_json())
    assert again["margin"] == pytest.approx(shipped["margin"], rel=1e-12)
    assert again["band"] == pytest.approx(shipped["band"], rel=1e-12)


def test_verification_as_a_result():
    ds = games.verification(data.path("games/cournot.json").read_bytes())
    assert bool(ds.valid)
    assert float(ds.margin) == 1.147
    broken = games.verification(b"{}")
    assert not bool(broken.valid)
    assert broken.status.item() == "none"
