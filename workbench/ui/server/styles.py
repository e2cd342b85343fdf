"""The style sheets of a page come from its own server, also where the page was never asked for.

Panel writes the address of a content network into every model it makes, and puts the server's own in its place while it
renders the page. A browser that comes late with its connection, as one does on a machine that is busy with other pages,
finds that its session was let go meanwhile. Bokeh then builds the session anew for the connection alone, no page is
rendered, and the browser is sent to the network for its styles. So the address is put right as soon as a session is
there.
"""

from bokeh.document import Document
from panel.io.resources import LOCAL_DIST, patch_model_css
from panel.io.state import set_curdoc, state


def keep_here(document: Document) -> None:
    """Let the style sheets of a session's models, and of those to come, be this server's own."""
    with set_curdoc(document):
        ours = f"{state.rel_path}/{LOCAL_DIST}" if state.rel_path else LOCAL_DIST
    document._template_variables["dist_url"] = ours
    for root in document.roots:
        patch_model_css(root, dist_url=ours)
