"""Layers of a network, from memory and from files: what is scored, what is left out, and files made to deceive."""

import io
import json
import pickle
import struct
import zipfile

import numpy as np
import pytest
import torch
from safetensors.numpy import save as save_numpy
from safetensors.torch import save as save_torch
from torch import nn

from workbench import metrics, results
from workbench.metrics.spectra.files import read_network, safetensors_arrays
from workbench.metrics.spectra.layers import layers_of
from workbench.metrics.spectra.spectrum import layer_spectrum

RNG = np.random.default_rng(0)
W = RNG.normal(size=(60, 40)).astype(np.float32)


def stream(data, name):
    found = io.BytesIO(data)
    found.name = name
    return found


def npz(**arrays):
    made = io.BytesIO()
    np.savez(made, **arrays)
    return made.getvalue()


def torch_file(value, **options):
    made = io.BytesIO()
    torch.save(value, made, **options)
    return made.getvalue()


def test_the_spectrum_is_that_of_the_singular_values():
    for shape in ((60, 40), (40, 60), (30, 30)):
        w = RNG.normal(size=shape)
        found = layer_spectrum(w)
        np.testing.assert_allclose(found.eigenvalues, np.sort(np.linalg.svd(w, compute_uv=False) ** 2), rtol=1e-9)
        assert (found.rows, found.columns) == (max(shape), min(shape))
    kernel = RNG.normal(size=(32, 8, 3, 3))
    np.testing.assert_allclose(
        layer_spectrum(kernel).eigenvalues, layer_spectrum(kernel.reshape(32, 72)).eigenvalues, rtol=1e-12
    )


def test_rank_deficient_layers_drop_their_zeros():
    w = RNG.normal(size=(80, 25)) @ RNG.normal(size=(25, 70))
    found = layer_spectrum(w)
    assert (len(found.eigenvalues), found.dropped) == (25, 45)


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (np.ones(30), "a layer is a matrix"),
        (np.ones((30, 10)), "10 eigenvalue"),
        (np.full((30, 30), np.nan), "NaN"),
        (np.ones((30, 30), dtype=np.int8), "quantised"),
        (np.zeros((30, 30)), "no positive value"),
        (np.broadcast_to(np.float32(1), (7000, 7000)), "shorter side of 7,000"),
    ],
)
def test_what_is_no_layer_is_refused_in_words(weights, words):
    with pytest.raises(ValueError, match=words):
        layer_spectrum(weights)


# ---- in memory ------------------------------------------------------------------------------------------------------


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(50, 32)
        self.attention = nn.MultiheadAttention(32, 2)
        self.conv = nn.Conv1d(24, 30, 3)
        self.head = nn.Linear(32, 50, bias=False)
        self.head.weight = self.embed.weight
        self.small = nn.Linear(32, 4)


def test_a_module_gives_its_layers():
    found = layers_of(Tied())
    names = [layer.name for layer in found]
    assert names == [
        "embed.weight",
        "attention.in_proj_weight[q]",
        "attention.in_proj_weight[k]",
        "attention.in_proj_weight[v]",
        "attention.out_proj.weight",
        "conv.weight",
    ]
    reasons = dict(found.skipped)
    assert "the same numbers as embed.weight" in reasons["head.weight"]
    assert "4 eigenvalue" in reasons["small.weight"]
    assert found["conv.weight"].kind == "kernel 30×24×3"
    assert all(layer.matrix.shape[0] >= layer.matrix.shape[1] for layer in found)
    with pytest.raises(ValueError, match=r"embed\.weight"):
        found["embed.weigth"]


def test_fused_projections_of_both_layouts_are_split():
    w = RNG.normal(size=(90, 30))
    rows = layers_of({"h.0.attn.qkv.weight": w})
    columns = layers_of({"h.0.attn.c_attn.weight": w.T})
    for k in range(3):
        np.testing.assert_array_equal(rows[k].matrix, w[30 * k : 30 * k + 30])
        np.testing.assert_array_equal(columns[k].matrix, w[30 * k : 30 * k + 30].T)
    assert len(layers_of({"other.weight": w})) == 1


def test_a_lora_pair_has_the_values_of_its_product():
    a, b = RNG.normal(size=(24, 70)), RNG.normal(size=(50, 24))
    found = layers_of({"q.lora_A.weight": a, "q.lora_B.weight": b})
    assert [layer.name for layer in found] == ["q.lora_BA"]
    expected = np.sort(np.linalg.svd(b @ a, compute_uv=False)[:24] ** 2)
    np.testing.assert_allclose(found[0].spectrum().eigenvalues, expected, rtol=1e-9)
    few = layers_of({"q.lora_A.weight": a[:8], "q.lora_B.weight": b[:, :8], "w": W})
    assert dict(few.skipped)["q.lora_BA"].startswith("a LoRA update of rank 8")


def test_what_is_left_out_is_said():
    found = layers_of(
        {
            "good": W,
            "int": np.ones((30, 30), np.int8),
            "nan": np.where(np.eye(30) > 0, np.nan, 1.0),
            "zero": np.zeros((30, 30)),
            "complex": np.ones((30, 30), complex),
            "bias": np.ones(30),
        }
    )
    assert set(dict(found.skipped)) == {"int", "nan", "zero", "complex"}
    assert "scale" in dict(found.skipped)["int"]
    assert "30 values that are NaN" in dict(found.skipped)["nan"]


@pytest.mark.parametrize(
    ("model", "error", "words"),
    [
        ({"a": np.ones((3, 3))}, ValueError, "no layer to score"),
        ({}, ValueError, "no layer to score"),
        (7, TypeError, "torch module"),
        ({1: W}, TypeError, "no text"),
    ],
)
def test_what_is_no_network_is_refused(model, error, words):
    with pytest.raises(error, match=words):
        layers_of(model)


# ---- files ----------------------------------------------------------------------------------------------------------


def test_every_format_gives_the_same_layer(tmp_path):
    half = torch.from_numpy(W).to(torch.bfloat16)
    files = {
        "a.safetensors": save_numpy({"w": W, "b": np.zeros(60, np.float32)}),
        "a.npz": npz(w=W, b=np.zeros(60)),
        "a.pt": torch_file({"w": torch.from_numpy(W), "b": torch.zeros(60)}),
        "b.pth.tar": torch_file({"model": {"state_dict": {"w": torch.from_numpy(W)}}, "epoch": 3}),
        "old.bin": torch_file({"w": torch.from_numpy(W)}, _use_new_zipfile_serialization=False),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        for found in (read_network(tmp_path / name), read_network(stream(data, name))):
            np.testing.assert_array_equal(found["w"].matrix, W)
            assert found.sentence == f"{name}: 1 layer"
    for name, data in (("h.safetensors", save_torch({"w": half})), ("h.pt", torch_file({"w": half}))):
        np.testing.assert_array_equal(read_network(stream(data, name))["w"].matrix, half.float().numpy())
    eight = torch.from_numpy(W).to(torch.float8_e4m3fn)
    found = read_network(stream(save_torch({"w": eight}), "e.safetensors"))
    np.testing.assert_array_equal(found["w"].matrix, eight.float().numpy())


def test_onnx_is_read_where_its_package_is():
    data = b"\x08\x07"
    if _has_onnx():
        import onnx
        from onnx import helper, numpy_helper

        graph = helper.make_graph([], "g", [], [], [numpy_helper.from_array(W, "w")])
        data = helper.make_model(graph).SerializeToString()
        np.testing.assert_array_equal(read_network(stream(data, "a.onnx"))["w"].matrix, W)
        assert onnx.__version__
    else:
        with pytest.raises(ValueError, match="pip install onnx"):
            read_network(stream(data, "a.onnx"))


def _has_onnx():
    import importlib.util

    return importlib.util.find_spec("onnx") is not None


class Evil:
    def __reduce__(self):
        return (print, ("run",))


def safetensors(header, body=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def entry(shape=(20, 20), start=0, end=1600, dtype="F32", **more):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end], **more}


BODY = bytes(3200)
DECEIVING = {
    "short": (b"abc", "too few"),
    "long header": (struct.pack("<Q", 2**62) + b"{}", "announces a header"),
    "no json": (safetensors(b"{'a'"), "cannot be read"),
    "deep": (safetensors(b"[" * 100_000), "cannot be read"),
    "a list": (safetensors([]), "lists no tensors"),
    "twice": (safetensors(b'{"a": {}, "a": {}}'), "twice"),
    "beyond the end": (safetensors({"a": entry(end=1600)}, bytes(100)), "it is damaged"),
    "other size": (safetensors({"a": entry(shape=(20, 21))}, BODY), "it is damaged"),
    "overflow": (safetensors({"a": entry(shape=(2**40, 2**40))}, BODY), "it is damaged"),
    "negative": (safetensors({"a": entry(shape=(-20, -20))}, BODY), "no usable shape"),
    "fraction": (safetensors({"a": entry(shape=(20.0, 20))}, BODY), "no usable shape"),
    "true": (safetensors({"a": entry(shape=(True, 400))}, BODY), "no usable shape"),
    "type": (safetensors({"a": entry(dtype="F128")}, BODY), "has the type"),
    "more keys": (safetensors({"a": entry(more=1)}, BODY), "not described"),
    "shared bytes": (safetensors({"a": entry(), "b": entry(start=4, end=1604)}, BODY), "share bytes"),
}


@pytest.mark.parametrize("name", DECEIVING)
def test_a_deceiving_safetensors_file_is_refused(name):
    data, words = DECEIVING[name]
    with pytest.raises(ValueError, match=words):
        safetensors_arrays(data, "x.safetensors")


def test_a_safetensors_file_cut_anywhere_is_refused():
    data = save_numpy({"w": W, "v": W + 1})
    for length in range(0, len(data), 997):
        with pytest.raises(ValueError):
            read_network(stream(data[:length], "x.safetensors"))


def packed(data):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", data)
    return made.getvalue()


REFUSED = {
    "whole module": ("m.pt", lambda: torch_file(nn.Linear(30, 30)), "never pickled code"),
    "plain pickle": ("m.pt", lambda: pickle.dumps(Evil()), "never pickled code"),
    "code in a dictionary": ("m.bin", lambda: torch_file({"w": Evil()}), "never pickled code"),
    "a list": ("m.pt", lambda: torch_file([torch.ones(30, 30)]), "maps names to tensors"),
    "noise": ("m.pth", lambda: bytes(range(256)) * 20, "never pickled code"),
    "packed": ("m.pt", lambda: packed(bytes(10_000_000)), "as torch.save never does"),
    "a repeated view": (
        "m.pt",
        lambda: torch_file({"w": torch.ones(1, 1).expand(40_000, 5000)}),
        "larger than the file",
    ),
    "pickled arrays": ("m.npz", lambda: npz(w=np.array([{}], dtype=object)), "never read"),
    "empty": ("m.npz", lambda: b"", "is empty"),
    "unknown": ("m.h5", lambda: b"123", "the formats are"),
    "a program": ("m.jit", lambda: b"123", "TorchScript"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_weights_file_is_refused(name, capfd):
    file, make, words = REFUSED[name]
    with pytest.raises(ValueError, match=words):
        read_network(stream(make(), file))
    assert "run" not in capfd.readouterr().out


def test_torchscript_in_disguise_is_refused():
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("m/code/__torch__.py", "def forward(self): pass")
    with pytest.raises(ValueError, match="a program"):
        read_network(stream(made.getvalue(), "m.pt"))


def test_limits_come_before_memory(tmp_path):
    path = tmp_path / "big.safetensors"
    with path.open("wb") as file:
        file.truncate(2**31)
    with pytest.raises(ValueError, match="2,048 MiB; the limit is 1,024 MiB"):
        read_network(path)
    tight = io.BytesIO()
    np.savez_compressed(tight, w=np.zeros((100, 100)))
    with pytest.raises(ValueError, match="unpacks to"):
        read_network(stream(tight.getvalue(), "a.npz"), max_bytes=50_000)
    with pytest.raises(FileNotFoundError):
        read_network(tmp_path / "none.npz")
    with pytest.raises(TypeError, match="binary"):
        read_network(stream_of_text())


def stream_of_text():
    found = io.StringIO("text")
    found.name = "a.npz"
    return found


# ---- scores ---------------------------------------------------------------------------------------------------------


def test_a_file_and_a_mapping_are_scored_alike(tmp_path):
    arrays = {"a": W, "b": RNG.standard_t(2, size=(90, 50)), "c": np.ones((3, 4))}
    (tmp_path / "net.npz").write_bytes(npz(**arrays))
    one, two = metrics.score_layers(arrays, repeats=3), metrics.score_layers(str(tmp_path / "net.npz"), repeats=3)
    for name in one.data_vars:
        if name != "left_out_reason":
            np.testing.assert_array_equal(one[name], two[name])
    assert one.left_out_name.values.tolist() == ["c"]
    results.validate(one)


def test_the_scores_are_what_they_say():
    ds = metrics.score_layers({"w": W})
    values = layer_spectrum(W).eigenvalues
    fit = metrics.tail_fit(values)
    one = ds.isel(layer=0)
    assert float(one.alpha) == fit.alpha
    assert float(one.alpha_hat) == pytest.approx(fit.alpha * np.log10(values[-1]))
    assert float(one.log_alpha_norm) == pytest.approx(np.log10(np.sum(values**fit.alpha)), rel=1e-12)
    assert float(one.stable_rank) == pytest.approx(np.linalg.norm(W) ** 2 / np.linalg.norm(W, 2) ** 2, rel=1e-5)
    assert float(one.erg_gap) == pytest.approx(np.log(fit.threshold / metrics.erg(values).threshold))
    assert np.isnan(one.shuffled)
    huge = metrics.score_layers({"w": 1e150 * W.astype(float)}).isel(layer=0)  # Σλ^α would overflow
    assert np.isfinite(float(huge.log_alpha_norm))


def test_a_layer_of_low_rank_is_left_out_and_the_others_stay():
    low = np.outer(np.arange(1.0, 31), np.arange(1.0, 31))
    ds = metrics.score_layers({"low": low, "w": W})
    assert ds.layer_name.values.tolist() == ["w"]
    assert "at least 20" in str(ds.left_out_reason.values[0])
    with pytest.raises(ValueError, match="no layer could be scored"):
        metrics.score_layers({"low": low})


def test_leaving_a_layer_out_changes_no_other():
    a, b = RNG.normal(size=(60, 30)), RNG.normal(size=(50, 40))
    both = metrics.score_layers({"a": a, "b": b}, repeats=4)
    one = metrics.score_layers({"a": a}, repeats=4)
    assert float(both.shuffled[0]) == float(one.shuffled[0])


def test_several_networks_stand_in_one_table():
    nets = {"a": {"x": W, "y": RNG.normal(size=(80, 60))}, "b": {"x": RNG.normal(size=(99, 55))}, "none": {"x": W}}
    ds = metrics.score_networks(nets, repeats=2, bootstrap=10)
    assert ds.network.values.tolist() == ["a", "b"]
    assert (ds.columns >= 50).all()
    assert (ds.refit_low <= ds.refit_high).all()
    with pytest.raises(ValueError, match="both sides at least 90"):
        metrics.score_networks(nets, least_side=90)
