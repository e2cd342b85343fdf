"""When a browser has drawn what a notebook cell shows, and listens to changes from then on."""

from collections.abc import Callable

import param
from panel.custom import JSComponent


class Arrival(JSComponent):
    """Draws nothing; calls ``then`` once, as soon as it stands in the browser.

    A notebook sends a cell's output and all later changes of it on two ways. A change that overtakes the output finds
    nobody to take it, and half of a change is worse than none.
    """

    arrived = param.Boolean(default=False, doc="set by the browser")

    _esm = """
    export function render({ model, el }) {
      el.style.display = "none";
      setTimeout(() => { model.arrived = true; }, 0);
    }
    """

    def __init__(self, then: Callable[[], None]) -> None:
        super().__init__(width=0, height=0, margin=0)
        self.param.watch(lambda event: then() if event.new else None, "arrived")
