"""The index: what each room answers, a thumbnail from real data, the verdicts of all rooms, recent results."""

import panel as pn


class Home(pn.viewable.Viewer):
    """placeholder until the rooms stand."""

    def page(self):
        return pn.pane.Markdown("# rooms")
