"""How many pictures a second the viewer draws of a surface in motion, in a browser that draws without a graphics card.

    python benchmarks/shapes_viewer.py [--quick] [--write]

The surface changes its shape in a window of 900 × 470 points in Chromium without a screen (the package playwright and a
Chromium are needed). Pictures are counted over a few seconds of the film; a busy machine gives fewer.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from report import finish, heading

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
PAGE = """
import numpy as np, panel as pn
from workbench import shapes
from workbench.ui.kit.pointcloud import PointCloud
mesh, other = (shapes.surface(name, {size}) for name in ("walnut", "walnut-outer"))
viewer = PointCloud(height=470)
path = np.stack([mesh.vertices + t * (other.vertices - mesh.vertices) for t in np.linspace(0, 1, 100)])
viewer.show(path, faces=mesh.faces, target=other.vertices if {target} else None,
            target_faces=other.faces if {target} else None, values=mesh.vertices[:, 2])
pn.Column(viewer).servable()
"""


def pictures_a_second(size: int, seconds: float, *, target: bool) -> float:
    """Return how often the viewer draws in a second of its film, with or without a second surface behind the first."""
    from chromium import free_port, launched, serving

    with tempfile.TemporaryDirectory() as folder:
        page_file, port = Path(folder) / "page.py", free_port()
        page_file.write_text(PAGE.format(size=size, target=target))
        command = [sys.executable, "-m", "panel", "serve", str(page_file), "--port", str(port), "--liveness"]
        surroundings = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
        with serving(command, port, surroundings) as (address, _), launched() as browser:
            page = browser.new_page(viewport={"width": 900, "height": 640})
            page.goto(f"{address}/page")
            viewer = page.locator(".cloud")
            viewer.wait_for(timeout=60_000)
            page.wait_for_function("element => element.dataset.drawn > 2", arg=viewer.element_handle(), timeout=60_000)
            count = "element => [Number(element.dataset.drawn), performance.now()]"
            first, start = viewer.evaluate(count)
            page.wait_for_timeout(1000 * seconds)
            last, end = viewer.evaluate(count)
            return 1000 * (last - first) / (end - start)


def main() -> None:
    """Measure and print, or store, the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the large surface alone, for a short time")
    parser.add_argument("--write", action="store_true", help="store the table in benchmarks/results/shapes_viewer.md")
    given = parser.parse_args()
    lines = heading("The viewer of surfaces", "python benchmarks/shapes_viewer.py --write", ("panel", "bokeh"))
    try:
        rows = [
            f"| {2 * size - 4:,}{' twice' if target else ''} | "
            f"{pictures_a_second(size, 2 if given.quick else 6, target=target):.0f} |"
            for size, target in ([(10_242, False)] if given.quick else [(2562, False), (10_242, False), (10_242, True)])
        ]
        lines += ["| faces in motion | pictures a second, without a graphics card |", "|---|---|", *rows]
    except (ImportError, OSError) as error:
        lines.append(f"Not measured: {error}")
    finish("shapes_viewer", lines, write=given.write)


if __name__ == "__main__":
    main()
