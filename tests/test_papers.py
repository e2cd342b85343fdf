"""The list of papers is complete, and every room's header is made from the papers of its claims."""

import importlib

import pytest

from workbench.papers import NUMBER, PAPERS, cited
from workbench.rooms import ROOMS
from workbench.ui.catalogue import room_classes


@pytest.mark.parametrize("room", ROOMS)
def test_every_paper_of_a_claim_is_listed(room):
    claims = importlib.import_module(f"workbench.{room}.verdicts").CLAIMS  # not judged: only what they cite
    texts = [claim.paper for claim in claims if claim.paper]
    found = cited(texts)
    numbers = {number for text in texts for number in NUMBER.findall(text)}
    assert numbers <= set(PAPERS)
    assert len(found) == len(numbers) > 0  # each once, and none without a number
    assert all(text.endswith(tuple(numbers)) for text in found)
    assert {number for text in room_classes()[room].also for number in NUMBER.findall(text)} <= set(PAPERS) - numbers


def test_each_paper_is_said_once_and_an_unlisted_one_as_it_is():
    assert cited(["arXiv 2210.02747", "arXiv:2210.02747 again", "A. Uthor, 1900", "A. Uthor, 1900"]) == [
        f"{PAPERS['2210.02747']}, arXiv 2210.02747",
        "A. Uthor, 1900",
    ]
    assert cited(["arXiv 9999.99999 (new)"]) == ["arXiv 9999.99999 (new)"]
