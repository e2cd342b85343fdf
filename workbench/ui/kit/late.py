"""What a browser still says of models that its page has lost: not heard, instead of an error.

A browser that has just been sent a plot gives its models' whole description back with the next change that names one of
them. If by then the plot has been replaced, as under a hand that drags, Bokeh takes the description for that of new
models and builds them; and since a browser describes the colour of a line in another way than Python does, that ends in
a traceback ("Line.line_color: expected … a value of type Color, got Value(…)") which JupyterLab shows in the cell. A
change that only names a lost model makes Bokeh drop everything that came with it, the move of a slider too.

Here the events that speak of a lost model are left out, and the others are heard.
"""

from typing import Any

from bokeh.core.serialization import Serialized
from bokeh.document import Document
from bokeh.document.models import DocumentModelManager

_apply = Document.apply_json_patch


def install() -> None:
    """Let every document of this process leave out what is said of models that it has lost."""
    Document.apply_json_patch = _apply_what_is_here  # type: ignore[method-assign]


def _apply_what_is_here(self: Document, patch_json: Any, *, setter: Any = None) -> None:
    patch = patch_json.content if isinstance(patch_json, Serialized) else patch_json
    events = patch.get("events") if isinstance(patch, dict) else None
    if isinstance(events, list):
        kept = [event for event in events if not _speaks_of_the_lost(event, self.models)]
        if len(kept) < len(events):
            if not kept:
                return
            patch = {**patch, "events": kept}
            patch_json = Serialized(patch, patch_json.buffers) if isinstance(patch_json, Serialized) else patch
    _apply(self, patch_json, setter=setter)


def _speaks_of_the_lost(part: Any, models: DocumentModelManager) -> bool:
    """Tell whether a part of a message names or describes a model that the document had once and has no more."""
    if isinstance(part, dict):
        name = part.get("id")
        is_model = len(part) == 1 or part.get("type") == "object"
        if is_model and isinstance(name, str) and models.seen(name) and models.get_by_id(name) is None:
            return True
        return any(_speaks_of_the_lost(value, models) for value in part.values())
    return isinstance(part, list) and any(_speaks_of_the_lost(entry, models) for entry in part)
