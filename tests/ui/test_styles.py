"""A session has its styles from its own server, whether or not its page was ever rendered."""

import panel as pn
from bokeh.models import ImportedStyleSheet
from panel.io.resources import CDN_DIST
from panel.io.state import set_curdoc

from workbench.ui.server import styles


def urls(document):
    return {sheet.url for root in document.roots for sheet in root.select({"type": ImportedStyleSheet})}


def test_the_addresses_are_those_of_this_server_now_and_later():
    box = pn.Column(pn.pane.HTML("a"), loading=True)
    document = box.server_doc()
    before = urls(document)
    assert before, "Panel no longer writes the network's address into its models: this mend can go"
    assert all(url.startswith(CDN_DIST) for url in before)
    styles.keep_here(document)
    assert all(url.startswith("static/extensions/panel/") for url in urls(document))
    with set_curdoc(document):
        box.append(pn.WidgetBox(pn.pane.HTML("b")))
        box.append(pn.FlexBox(pn.pane.HTML("c")))
    assert len(urls(document)) > len(before)
    assert all(url.startswith("static/extensions/panel/") for url in urls(document)), urls(document)
