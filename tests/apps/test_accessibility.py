"""axe-core reads every page, light and dark: fewer than five of its rules may complain, none of them seriously."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.ui
ROOT = Path(__file__).resolve().parents[2]
PAGES = ("demo", *sorted(path.stem for path in (ROOT / "apps").glob("*.py")))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_pages_can_be_read_by_all(open_page, name, dark):
    from axe_playwright_python.sync_playwright import Axe

    page = open_page(name, dark=dark)
    page.wait_for_selector("h1")
    page.wait_for_timeout(2500)
    violations = Axe().run(page).response["violations"]
    told = [f"{v['id']} ({v['impact']}): {v['nodes'][0]['html'][:200]}" for v in violations]
    assert not [v for v in violations if v["impact"] in ("serious", "critical")], "\n".join(told)
    assert len(violations) < 5, "\n".join(told)
