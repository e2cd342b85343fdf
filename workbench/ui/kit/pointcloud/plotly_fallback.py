"""The picture for browsers without WebGL2, and for naming the point under the mouse."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def plotly_cloud(
    positions: NDArray[np.float32],
    target: NDArray[np.float32],
    colours: NDArray[np.uint8],
    *,
    faces: NDArray[np.uint32],
    target_faces: NDArray[np.uint32],
    flat: bool,
    limit: int,
) -> Any:
    """Return a Plotly figure of one frame; of clouds larger than ``limit`` an even selection is drawn, and said.

    Surfaces in three dimensions are drawn whole, as such.
    """
    import plotly.graph_objects as go

    def trace(points: NDArray[np.float32], name: str, shade: Any, opacity: float) -> Any:
        chosen = np.linspace(0, len(points) - 1, min(len(points), limit)).astype(int)
        shown = points[chosen]
        marker = {"size": 5 if flat else 2.5, "color": shade(chosen), "opacity": opacity}
        common = {"mode": "markers", "name": name, "marker": marker, "text": [f"point {k}" for k in chosen]}
        if flat:
            return go.Scatter(x=shown[:, 0], y=shown[:, 1], **common)
        return go.Scatter3d(x=shown[:, 0], y=shown[:, 1], z=shown[:, 2], **common)

    def surface(points: NDArray[np.float32], corners: NDArray[np.uint32], name: str, shade: Any, opacity: float) -> Any:
        (x, y, z), (i, j, k) = points.T, corners.T
        return go.Mesh3d(x=x, y=y, z=z, i=i, j=j, k=k, name=name, opacity=opacity, flatshading=True, **shade)

    shades = [f"rgb({r},{g},{b})" for r, g, b in colours]
    if len(faces) and not flat:
        traces = [surface(positions, faces, "surface", {"vertexcolor": shades}, 1.0)]
    else:
        traces = [trace(positions, "cloud", lambda chosen: [shades[k] for k in chosen], 1.0)]
    if len(target_faces) and not flat:
        traces.append(surface(target, target_faces, "target", {"color": "#E69F00"}, 0.4))
    elif len(target):
        traces.append(trace(target, "target", lambda k: "#E69F00", 0.4))
    figure = go.Figure(traces)
    figure.update_layout(
        margin={"l": 0, "r": 0, "t": 24, "b": 0},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": "#7F7F7F"},
        legend={"x": 0, "y": 1},
    )
    if any(len(one.x) == limit < len(given) for one, given in zip(figure.data, (positions, target), strict=False)):
        figure.update_layout(title={"text": f"{limit} points of each cloud drawn", "font": {"size": 12}})
    if flat:
        figure.update_yaxes(scaleanchor="x")
    else:
        figure.update_layout(scene={"aspectmode": "data"})
    return figure
