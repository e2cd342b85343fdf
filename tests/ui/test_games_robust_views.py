"""The tab of decisions against the worst case, without a browser."""

import pytest
from drawing import draw

from workbench.games import robust
from workbench.progress import Progress
from workbench.ui.games.capital import CapitalView
from workbench.ui.games.check import CheckView, report_html
from workbench.ui.games.robust import RobustView
from workbench.ui.kit.grid import Grid
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


def test_items_are_typed_over_in_the_table_and_forgotten(view):
    grid = next(shown for shown in view._shown if isinstance(shown, Grid))
    assert len(grid._grid.rows) == 12
    assert [k + 1 for k, tick in enumerate(grid._grid.ticked) if tick] == [1, 2, 3, 4, 5, 6]
    own = float(view.result.own_profit)
    first = grid._grid.rows[0]
    grid.was_typed([0, 0, str(first[0] + 100), 1])  # a profit that the plan has in any case
    assert view.runner.wait(PATIENCE)
    assert view.complaint == ""
    assert float(view.result.own_profit) == pytest.approx(own + 100)
    assert grid._grid.rows[0] == [first[0] + 100, *first[1:]]
    grid.was_typed([1, 2, "0.5", 2])
    assert "whole numbers from 1" in view.complaint
    for nonsense in ([], [0, 9, "1", 3], [50, 0, "1", 4], ["0", 0, "1", 5], [0, 0, "many", 6]):
        grid.was_typed(nonsense)
    assert float(view.result.own_profit) == pytest.approx(own + 100)
    view._forget_items(None)
    assert view.runner.wait(PATIENCE)
    assert view.table is None
    assert float(view.result.own_profit) == pytest.approx(own)


def test_items_are_ticked_in_and_out_in_the_table(view):
    grid = next(shown for shown in view._shown if isinstance(shown, Grid))
    grid.was_turned([11, 1, 1])
    assert view.runner.wait(PATIENCE)
    assert view.chosen == ["1", "2", "3", "4", "5", "6", "12"]
    assert bool(view.result.own_plan[11])
    grid.was_turned([11, 0, 2])
    grid.was_turned([40, 1, 3])
    assert view.runner.wait(PATIENCE)
    assert view.chosen == ["1", "2", "3", "4", "5", "6"]
    assert view._items_csv().getvalue().decode().startswith("item,profit")


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


@pytest.fixture(scope="module")
def capital():
    made = CapitalView(n=5, chosen=["1"], samples=100)
    made.start()
    assert made.runner.wait(PATIENCE)
    yield made
    made.close()


def test_capital_budgets_tell_what_samples_miss(capital):
    ds = capital.result
    assert "too good" in capital.sentence(ds)
    assert float(ds.own_at_least) <= float(ds.own_at_most) <= float(ds.own_sampled)
    for picture in capital.figures:
        draw(picture.figure(ds), "bokeh")
        assert "nan" not in picture.summary(ds)


def test_projects_go_in_and_out_and_are_refused_in_words(capital):
    capital.chosen = ["2"]
    assert capital.runner.wait(PATIENCE)
    assert capital.result.own_plan.values.tolist() == [0, 1, 0, 0, 0]
    capital.chosen = [str(k) for k in range(1, 6)]
    assert capital.runner.wait(PATIENCE)
    assert "take projects out" in capital.complaint
    capital.chosen = ["1", "15"]
    assert "project 15 and there are 5" in capital.complaint
    capital.chosen = ["1"]
    assert capital.runner.wait(PATIENCE)


def test_projects_of_ones_own(capital):
    table = robust.projects_csv(robust.capital_budgeting(4, seed=2))
    capital.param.update(table=Upload("mine.csv", table.encode()), chosen=["1"])
    assert capital.runner.wait(PATIENCE)
    assert capital.complaint == ""
    assert capital.result.sizes["project"] == 4
    capital.table = Upload("mine.csv", b"cost,revenue\n1,2")
    assert capital.runner.wait(PATIENCE)
    assert "missing: cost_1" in capital.complaint


def test_an_unfinished_capital_budget_is_told_and_drawn(capital):
    kept = []

    class Kept(Progress):
        def publish(self, ds):
            kept.append(ds)

    robust.budget_study(5, boxes=2000, samples=50, progress=Kept())
    assert capital.sentence(kept[0]).endswith("too good.")
    for picture in capital.figures:
        draw(picture.figure(kept[0]), "bokeh")
        assert "nan" not in picture.summary(kept[0])
