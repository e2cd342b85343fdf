"""The point-cloud viewer's Python side: the bytes it sends and what it refuses."""

import numpy as np
import panel as pn
import pytest

from workbench.ui.kit.pointcloud import PointCloud
from workbench.ui.kit.pointcloud.colours import PLAIN_SOURCE, point_colours


@pytest.fixture
def path():
    return np.random.default_rng(0).normal(size=(5, 40, 3))


def test_trajectory_is_sent_once_as_float32(path):
    viewer = PointCloud()
    viewer.show(path, target=path[-1][:10], labels=list("abcde"))
    canvas = viewer._canvas
    sent = np.frombuffer(canvas.positions, dtype=np.float32).reshape(5, 40, 3)
    np.testing.assert_array_equal(sent, path.astype(np.float32))
    assert (canvas.n_frames, canvas.n_points, canvas.n_target, canvas.version) == (5, 40, 10, 1)
    assert canvas.labels == list("abcde")


def test_the_view_holds_both_clouds(path):
    viewer = PointCloud()
    viewer.show(path, target=path[-1] + 10)
    everything = np.concatenate([path[0], path[-1], path[-1] + 10])
    distance = np.linalg.norm(everything - np.array(viewer._canvas.centre), axis=1)
    assert distance.max() <= viewer._canvas.radius * (1 + 1e-6)


def test_flat_clouds_get_a_third_coordinate():
    viewer = PointCloud()
    viewer.show(np.ones((6, 2)))
    assert viewer._canvas.flat
    assert np.frombuffer(viewer._canvas.positions, dtype=np.float32).reshape(6, 3)[:, 2].tolist() == [0] * 6
    assert viewer._canvas.radius > 0


@pytest.mark.parametrize(
    ("positions", "message"),
    [
        (np.full((3, 3), np.nan), "NaN"),
        (np.zeros((3, 4)), "2 or 3 dimensions"),
        (np.zeros(3), "dimension"),
        (np.zeros((0, 3)), "empty"),
    ],
)
def test_what_cannot_be_shown_is_refused(positions, message):
    viewer = PointCloud()
    with pytest.raises(ValueError, match=message):
        viewer.show(positions)
    assert viewer._canvas.version == 0


FACES = np.array([[0, 1, 2], [2, 3, 39]])


def test_surfaces_are_sent_with_their_triangles_and_marks(path):
    viewer = PointCloud()
    viewer.show(path, faces=FACES, marked=[1], target=path[-1], target_faces=FACES[:1])
    canvas = viewer._canvas
    np.testing.assert_array_equal(np.frombuffer(canvas.faces, dtype=np.uint32).reshape(-1, 3), FACES)
    assert np.frombuffer(canvas.target_faces, dtype=np.uint32).tolist() == [0, 1, 2]
    assert np.frombuffer(canvas.marked, dtype=np.uint32).tolist() == [2, 3, 39]
    assert canvas.description == "40 points and 2 triangles in 5 frames"
    viewer.show(path, faces=FACES, marked=[], target=path[-1], target_faces=FACES[:1], labels=list("abcde"))
    assert (canvas.marked, canvas.version) == (b"", 1), "other marks do not start the film anew"
    viewer.show(path, target=path[-1])
    assert (canvas.faces, canvas.version) == (b"", 2)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"faces": [[0, 1, 40]]}, "faces names point 40; there are 40 points, counted from 0"),
        ({"faces": [[0, -1, 2]]}, "faces names point -1"),
        ({"faces": [[0, 1]]}, r"integers of shape \(F, 3\)"),
        ({"faces": [[0.0, 1.0, 2.0]]}, "integers"),
        ({"target_faces": [[0, 1, 2]]}, "target_faces names point 2; there are 0 points"),
        ({"faces": FACES, "marked": [2]}, "marked names face 2; there are 2 faces"),
        ({"marked": [[0]]}, "list of numbers"),
    ],
)
def test_faces_of_points_that_are_not_there_are_refused(path, wrong, message):
    viewer = PointCloud()
    with pytest.raises(ValueError, match=message):
        viewer.show(path, **wrong)
    assert viewer._canvas.version == 0


def test_plotly_draws_surfaces_whole(path):
    viewer = PointCloud(renderer="plotly")
    viewer.show(path, faces=FACES, target=path[-1], target_faces=FACES)
    assert [trace.type for trace in viewer._holder[0].object.data] == ["mesh3d", "mesh3d"]
    assert viewer._holder[0].object.data[0].k.tolist() == [2, 39]
    viewer.show(path[..., :2], faces=FACES)
    assert viewer._holder[0].object.data[0].type == "scatter"


def test_colours_follow_a_variable():
    values = np.linspace(-3, 5, 11)
    colours = point_colours(11, values, None, PLAIN_SOURCE)
    assert colours[0].tolist() == [68, 1, 84]
    assert colours[-1].tolist() == [253, 231, 37]
    assert point_colours(2, None, None, PLAIN_SOURCE).tolist() == [list(PLAIN_SOURCE)] * 2
    assert point_colours(1, None, [[0.0, 0.5, 1.0]], PLAIN_SOURCE).tolist() == [[0, 128, 255]]
    with pytest.raises(ValueError, match=r"shape \(2,\)"):
        point_colours(2, [1.0], None, PLAIN_SOURCE)
    with pytest.raises(ValueError, match=r"shape \(2, 3\)"):
        point_colours(2, None, [[1.0, 1.0, 1.0]], PLAIN_SOURCE)


def test_plotly_takes_over_without_webgl(path):
    viewer = PointCloud()
    viewer.show(path, target=path[-1])
    viewer._canvas.webgl = False
    assert viewer.renderer == "plotly"
    pane = viewer._holder[0]
    assert isinstance(pane, pn.pane.Plotly)
    assert len(pane.object.data[0].x) == 40
    viewer.frame = 4
    np.testing.assert_allclose(viewer._holder[0].object.data[0].x, path[4, :, 0], rtol=1e-6)
    viewer.renderer = "webgl"
    assert viewer._holder[0] is viewer._canvas


def test_plotly_says_when_it_thins_out():
    viewer = PointCloud(renderer="plotly")
    viewer.show(np.random.default_rng(1).normal(size=(5000, 3)))
    figure = viewer._holder[0].object
    assert len(figure.data[0].x) == 2000
    assert "2000 points" in figure.layout.title.text
