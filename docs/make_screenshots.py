"""Take the screenshots of the documentation: `make screenshots` (needs Chromium).

Every page in light, dark and phone width goes to docs/images/review (not committed); the eight light ones, small, to
docs/images.
"""

import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser

from workbench.rooms import ROOMS
from workbench.ui.server.serve import command

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from chromium import free_port, launched, serving

IMAGES = Path(__file__).with_name("images")
VARIANTS = {"light": (1360, 900, "light"), "dark": (1360, 900, "dark"), "phone": (390, 844, "light")}
SETTLE = 6000


def take(browser: Browser, address: str, room: str, variant: str) -> Path:
    """Open one page, wait until its pictures stand, and save the screenshot."""
    width, height, scheme = VARIANTS[variant]
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    page.goto(f"{address}/{room}")
    page.locator(".bk-Figure, .cloud canvas").first.wait_for(timeout=60_000)
    page.wait_for_timeout(SETTLE)
    target = IMAGES / "review" / f"{room}-{variant}.png"
    page.screenshot(path=target)
    page.close()
    return target


def shrink(source: Path, target: Path, width: int = 1100) -> None:
    """Write a smaller copy with 128 colours, which is all that these pages have."""
    with Image.open(source) as image:
        height = round(image.height * width / image.width)
        image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS).quantize(128).save(target, optimize=True)


def main() -> None:
    """Serve the pages, visit them all, stop the server."""
    (IMAGES / "review").mkdir(parents=True, exist_ok=True)
    port = free_port()
    with serving(command(port=port), port) as (address, _), launched() as browser:
        for room in ("home", *ROOMS):
            for variant in VARIANTS:
                print(take(browser, address, room, variant))
            shrink(IMAGES / "review" / f"{room}-light.png", IMAGES / f"{room}.png")


if __name__ == "__main__":
    main()
