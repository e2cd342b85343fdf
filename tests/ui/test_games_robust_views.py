"""The tab of decisions against the worst case, without a browser."""

import pytest
from drawing import draw

from workbench.games import robust
from workbench.progress import Progress
from workbench.ui.games.check import CheckView, report_html
from workbench.ui.games.robust import RobustView
from workbench.ui.kit.upload import Upload

PATIENCE = 60.0


@pytest.fixture(scope="module")
def view():
    made = RobustView()
    made.start()
    assert made.runner.wait(PATIENCE)
    yield made
    made.close()


def test_it_tells_the_three_numbers_and_proves_them(view):
    sentence = view.sentence(view.result)
    assert sentence.startswith("Your plan is worth at least")
    assert f"none is worth more than {float(view.result.bound):,.6g}" in sentence
    card = view._shown[-1]
    assert "Proved in whole numbers" in card._words.object
    assert robust.check(card.text)


def test_items_go_in_and_out(view):
    before = float(view.result.own_profit)
    view.chosen = ["1", "2", "3", "4", "5", "6", "7"]
    assert view.runner.wait(PATIENCE)
    assert float(view.result.own_profit) != before
    assert int(view.result.own_plan.sum()) == 7
    assert float(view.result.own_profit) <= float(view.result.best_profit) <= float(view.result.bound)
    view.chosen = ["1", "2", "3", "4", "5", "6"]
    assert view.runner.wait(PATIENCE)


def test_an_item_that_is_not_there_is_refused_in_words(view):
    view.chosen = ["1", "20"]
    assert "item 20 and there are 12" in view.complaint
    view.chosen = ["1", "2", "3", "4", "5", "6"]
    assert view.runner.wait(PATIENCE)
    assert view.complaint == ""


def test_items_of_ones_own():
    problem = robust.knapsack("UN", 6, share=0.3, seed=3)
    view = RobustView(table=Upload("mine.csv", problem.to_csv().encode()), share=0.3, chosen=["1"])
    view.start()
    assert view.runner.wait(PATIENCE)
    assert view.complaint == ""
    assert view.result.sizes["item"] == 6
    view.table = Upload("mine.csv", b"profit,loss\n1,2")
    assert view.runner.wait(PATIENCE)
    assert "missing: weight" in view.complaint
    view.close()


def test_an_unfinished_result_is_told_and_drawn(view):
    kept = []

    class Kept(Progress):
        def publish(self, ds):
            kept.append(ds)

    robust.robust_plan(progress=Kept())
    assert view.sentence(kept[0]).endswith("whatever happens.")
    for picture in view.figures:
        draw(picture.figure(kept[0]), "bokeh")
        assert "nan" not in picture.summary(kept[0])


def test_items_are_typed_over_and_forgotten(view):
    view.controls()
    view._show_items(None)
    lines = view._typed.value.splitlines()
    assert lines[0] == "item,profit,loss,weight,repair,outsourcing"
    assert len(lines) == 13
    assert view.runner.wait(PATIENCE)
    own = float(view.result.own_profit)
    fields = lines[1].split(",")
    fields[1] = str(int(fields[1]) + 100)  # a profit that the plan has in any case
    view._typed.value = "\n".join([lines[0], ",".join(fields), *lines[2:]])
    assert view.runner.wait(PATIENCE)
    assert view.complaint == ""
    assert float(view.result.own_profit) == pytest.approx(own + 100)
    view._typed.value = "profit,loss\n1,2"
    assert view.runner.wait(PATIENCE)
    assert "missing: weight" in view.complaint
    view._forget_items(None)
    assert view.runner.wait(PATIENCE)
    assert view.table is None
    assert float(view.result.own_profit) == pytest.approx(own)


def test_a_plan_dropped_on_the_check_tab_is_proved_or_refused(view):
    text = view._shown[-1].text
    check = CheckView()
    check.take("plan.json", text.encode())
    ds = check.compute(check.values(), Progress())
    assert bool(ds.valid)
    assert "the plan is worth at least" in check.sentence(ds)
    shown = report_html(ds)
    assert "The proof holds" in shown
    assert "no plan is worth more than" in shown
    check.take("plan.json", text.replace('"at_least":[', '"at_least":[1', 1).encode())
    bad = check.compute(check.values(), Progress())
    assert not bool(bad.valid)
    assert "digest" in check.sentence(bad)
    assert "Not a proof" in report_html(bad)
