"""When a browser has drawn what a notebook cell shows, listens to changes from then on, and keeps up with them."""

from collections.abc import Callable

import param
from panel.custom import JSComponent


class Arrival(JSComponent):
    """Draws nothing; calls ``then`` once, as soon as it stands in the browser, and ``seen`` after every :meth:`ask`.

    A notebook sends a cell's output and all later changes of it on two ways. A change that overtakes the output finds
    nobody to take it, and half of a change is worse than none. Nor does anything stop a kernel that sends more than the
    browser takes: beyond a thousand messages some are lost. So it asks, and sends no more until it is answered.
    """

    arrived = param.Boolean(default=False, doc="set by the browser")
    asked = param.Integer(default=0, doc="changes that the kernel has sent")
    answered = param.Integer(default=0, doc="changes that the browser has taken")

    _esm = """
    export function render({ model, el }) {
      el.style.display = "none";
      setTimeout(() => { model.arrived = true; }, 0);
      model.on("asked", () => { model.answered = model.asked; });
    }
    """

    def __init__(self, then: Callable[[], None], seen: Callable[[], None]) -> None:
        super().__init__(width=0, height=0, margin=0)
        self.param.watch(lambda event: then() if event.new else None, "arrived")
        self.param.watch(lambda _: None if self.is_behind else seen(), "answered")

    def ask(self) -> None:
        """Have the browser answer once it has taken what was sent so far."""
        self.asked += 1

    @property
    def is_behind(self) -> bool:
        """Whether the browser has not taken yet what was sent."""
        return self.arrived and self.answered < self.asked
