"""What a visitor can take away: the whole Dataset, tables, pictures, a page that stands alone, and the Python lines."""

import html
import io
import re
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import holoviews as hv
import panel as pn
import panel_material_ui as pmui
import xarray as xr
from bokeh.core.templates import get_env
from bokeh.embed import file_html
from bokeh.resources import INLINE

from workbench import results
from workbench.ui.kit.picture import Picture


def to_csv(ds: xr.Dataset) -> dict[str, bytes]:
    """Return one CSV table for each set of dimensions in ``ds``; scalars share the table ``values.csv``."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, variable in ds.data_vars.items():
        groups.setdefault(tuple(str(d) for d in variable.dims), []).append(str(name))
    tables = {}
    for dims, names in groups.items():
        part = ds[names].reset_coords(drop=True) if not dims else ds[names]
        if dims:
            frame = part.to_dataframe().reset_index()
        else:
            frame = part.expand_dims("row").to_dataframe().reset_index(drop=True)
        tables[f"{'-'.join(dims) or 'values'}.csv"] = frame.to_csv(index=False).encode()
    return tables


def to_images(pictures: Sequence[Picture], ds: xr.Dataset, kind: str) -> dict[str, bytes]:
    """Return each picture drawn by matplotlib, as ``png`` or ``svg`` bytes under its name."""
    renderer = hv.renderer("matplotlib").instance(fig=kind, dpi=160)
    drawn = {}
    for picture in pictures:
        data, _ = renderer(picture.figure(ds), fmt=kind)
        drawn[f"{_file_name(picture.title)}.{kind}"] = data if isinstance(data, bytes) else data.encode()
    return drawn


STANDALONE = """{% from macros import embed %}
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{{ title }}</title>
<style>body { font: 16px/1.45 system-ui, sans-serif; max-width: 1100px; margin: 24px auto; padding: 0 16px; }
pre { overflow-x: auto; background: #f4f4f4; padding: 12px; }</style>
{{ bokeh_css }}{{ bokeh_js }}</head>
<body><h1>{{ title }}</h1><p>{{ sentence }}</p>
{% for root in roots %}{{ embed(root) }}<p>{{ captions[loop.index0] }}</p>{% endfor %}
<pre>{{ lines }}</pre>
{{ plot_script }}</body></html>"""


def to_html(title: str, sentence: str, pictures: Sequence[Picture], ds: xr.Dataset) -> bytes:
    """Return one HTML file that shows the pictures and the sentence with nothing fetched from anywhere.

    Made by Bokeh alone: Panel's own export switches a setting of the whole process while it works, and the pages that
    other visitors open meanwhile would ask the network for their styles.
    """
    drawn = [hv.render(picture.figure(ds), backend="bokeh") for picture in pictures]
    words = {
        "sentence": html.escape(sentence),
        "captions": [html.escape(picture.summary(ds)) for picture in pictures],
        "lines": html.escape(results.python_lines(ds)),
    }
    template = get_env().from_string(STANDALONE)
    page = file_html(drawn, INLINE, html.escape(title), template=template, template_variables=words)
    # Panel adds a script of its server to whatever Bokeh exports; these pictures do not need it
    return re.sub(r'<script[^>]*src="static/[^"]*"[^>]*></script>', "", page).encode()


def bundle(files: dict[str, bytes], stem: str) -> tuple[str, bytes]:
    """Return the only file as it is, or several in one zip archive."""
    if len(files) == 1:
        name, data = next(iter(files.items()))
        return f"{stem}.{name.rsplit('.', 1)[-1]}", data
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    kind = next(iter(files)).rsplit(".", 1)[-1]
    return f"{stem}-{kind}.zip", archive.getvalue()


class Downloads(pn.viewable.Viewer):
    """A row of download buttons for one view; each file is made when its button is pressed."""

    def __init__(self, view: Any) -> None:
        super().__init__()
        self._view = view
        makers: dict[str, Callable[[], tuple[str, bytes]]] = {
            "NetCDF": lambda: (f"{self._stem()}.nc", results.to_bytes(view.result)),
            "CSV": lambda: bundle(to_csv(view.result), self._stem()),
            "PNG": lambda: bundle(to_images(view.figures, view.result, "png"), self._stem()),
            "SVG": lambda: bundle(to_images(view.figures, view.result, "svg"), self._stem()),
            "HTML": lambda: (f"{self._stem()}.html", self._html()),
            "Python": lambda: (f"{self._stem()}.py", (results.python_lines(view.result) + "\n").encode()),
        }
        if not view.figures:
            makers = {name: maker for name, maker in makers.items() if name not in ("PNG", "SVG", "HTML")}
        self._buttons = [self._button(name, maker) for name, maker in makers.items()]
        self._layout = pn.FlexBox(*self._buttons, sizing_mode="stretch_width", gap="4px")

    def _stem(self) -> str:
        return f"workbench-{self._view.slug}"

    def _html(self) -> bytes:
        view = self._view
        return to_html(view.title, view.sentence(view.result), view.figures, view.result)

    def _button(self, name: str, maker: Callable[[], tuple[str, bytes]]) -> Any:
        button = pmui.FileDownload(
            label=name,
            filename=f"{self._stem()}.{name.lower()}",
            variant="text",
            size="small",
            margin=(2, 2),
            disabled=pn.bind(_is_no_whole_result, self._view.param.result),
        )

        def make() -> io.BytesIO:
            filename, data = maker()
            button.filename = filename
            return io.BytesIO(data)

        button.callback = make
        return button

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout


def _is_no_whole_result(result: xr.Dataset | None) -> bool:
    return result is None or bool(results.missing(result))


def _file_name(title: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in title.lower()).strip("-") or "picture"
