"""Samples and networks of one's own: read as they mean it, or refused with the place."""

import io

import numpy as np
import pytest
import torch
from safetensors.torch import save
from torch import nn

from workbench import steps
from workbench.steps import files

CSV = "a,b,label\n1,2,cat\n2,1.5,dog\n3,-2e1,cat\n1,1,dog\n2,2,cat\n"


def npz(**arrays):
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def all_of(reading):
    data = reading.data
    return torch.cat([data.train_inputs, data.test_inputs]).double().numpy(), torch.cat(
        [data.train_targets, data.test_targets]
    ).numpy()


SAME = {
    "commas": CSV,
    "semicolons and decimal commas": CSV.replace(",", ";").replace("1.5", "1,5"),
    "tabs": CSV.replace(",", "\t"),
    "no header": CSV.split("\n", 1)[1],
    "class first": "class,a,b\ncat,1,2\ndog,2,1.5\ncat,3,-20\ndog,1,1\ncat,2,2\n",
    "quotes, blanks, remarks": '# pets\n"a", "b", "label"\n"1", 2, "cat"\n\n2,1.5,dog\n3,-20,cat\n1,1,dog\n2,2,cat\n',
}


@pytest.mark.parametrize("name", list(SAME))
def test_every_dialect_of_a_table_is_the_same_data(name):
    reading = steps.read_data(SAME[name].encode("utf-16"), name="pets.csv")
    raw = np.array([[1, 2], [2, 1.5], [3, -20], [1, 1], [2, 2]])
    expected = (raw - raw.mean(axis=0)) / raw.std(axis=0)
    x, y = all_of(reading)
    order = np.lexsort(x.T)
    np.testing.assert_allclose(x[order], expected[np.lexsort(expected.T)], rtol=1e-6, atol=1e-6)
    assert sorted(y.tolist()) == [0, 0, 0, 1, 1]
    assert reading.sentence == "5 samples of 2 features, classes cat, dog"


def test_numbers_as_classes_are_numbered_in_their_order():
    reading = steps.read_data(b"x,y\n1,10\n2,9\n3,10.0\n4,-3\n5,9\n", name="t.csv")
    assert reading.sentence.endswith("classes -3, 9, 10")
    assert reading.data.classes == 3


def test_npz_by_its_names(tmp_path):
    x, y = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 4 * 10
    x[:, 1] = 7.0
    file = tmp_path / "mine.npz"
    file.write_bytes(npz(X=x, labels=y))
    reading = steps.read_data(file)
    assert (reading.data.features, reading.data.classes) == (3, 4)
    assert float(all_of(reading)[0][:, 1].max()) == 0.0
    assert "mine.npz" not in reading.sentence
    with pytest.raises(ValueError, match="not numbers"):
        steps.read_data(npz(data=x, target=np.array(["b", "a"] * 20)), name="w.npz")


BAD = [
    ("t.csv", b"a,b,label\n1,2,x\n3,,y\n", "line 3 of t.csv lacks a value"),
    ("t.csv", b"a,b,label\n1,2,x\n3,nan,y\n", "line 3 of t.csv has 'nan' for a number"),
    ("t.csv", b"a,b,label\n1,2,x\n3,4\n", "line 3 of t.csv has 2 values and the first 3"),
    ("t.csv", b"a,b,label\n1,2,x\n3,4,\n", "line 3 of t.csv has no class"),
    ("t.csv", b"label,class\n1,2\n", "names 2 columns of classes"),
    ("t.csv", b"only\n1\n", "1 column;"),
    ("t.csv", b"", "no rows"),
    ("t.csv", b"a,b\n1,x\n2,y\n", "5 to 100,000 are allowed"),
    ("t.csv", b"a,b\n1,x\n2,x\n3,x\n4,x\n5,x\n", "1 different classes"),
    ("t.csv", b"a,b\n" + b"".join(b"1e308,%d\n-1e308,1\n" % (k % 2) for k in range(4)), "too large to standardise"),
    ("t.xlsx", b"PK", "no file of samples by its name"),
    ("t.npz", npz(a=np.ones((5, 2)), y=np.arange(5)), "no array of samples"),
    ("t.npz", npz(x=np.ones((5, 2)), X=np.ones((5, 2)), y=np.arange(5)), "2 arrays of samples"),
    ("t.npz", npz(x=np.ones((5, 2)), y=np.ones(5)), "whole numbers are needed"),
    ("t.npz", npz(x=np.ones((5, 2)), y=np.arange(6)), "5 samples and classes of shape"),
    ("t.npz", npz(x=np.full((5, 2), np.nan), y=np.arange(5)), "NaN"),
    ("t.npz", b"PK\x03\x04 no archive", "archive"),
]


@pytest.mark.parametrize(("name", "contents", "message"), BAD)
def test_what_is_no_table_of_samples_is_refused_with_its_place(name, contents, message):
    with pytest.raises(ValueError, match=message):
        steps.read_data(contents, name=name)


def test_limits_hold_before_any_work(monkeypatch, tmp_path):
    monkeypatch.setattr(files, "LARGEST_FILE", 10)
    big = tmp_path / "big.csv"
    big.write_bytes(CSV.encode())
    for source in (big, CSV.encode()):
        with pytest.raises(ValueError, match="the limit is 10"):
            steps.read_data(source, name="big.csv")
    monkeypatch.setattr(files, "LARGEST_FILE", 2**20)
    monkeypatch.setattr(files, "MOST_SAMPLES", 3)
    with pytest.raises(ValueError, match="more than 3 samples"):
        steps.read_data(CSV.encode(), name="t.csv")


def perceptron(layers=12, activation=nn.Tanh):
    parts = []
    for _ in range(layers - 1):
        parts += [nn.Linear(6, 6), activation()]
    model = nn.Sequential(*parts, nn.Linear(6, 3, bias=False))
    steps.networks.initialise(model, 0)
    return model


@pytest.mark.parametrize(("name", "activation"), [("relu", nn.ReLU), ("tanh", nn.Tanh), ("gelu", nn.GELU)])
def test_a_perceptron_comes_back(name, activation, tmp_path):
    """Twelve layers: "10.weight" comes after "2.weight"."""
    model = perceptron(activation=activation)
    file = tmp_path / "mlp.safetensors"
    file.write_bytes(save(model.state_dict()))
    x = torch.randn(5, 6, generator=torch.Generator().manual_seed(0))
    found = steps.read_mlp(file, activation=name)
    assert torch.equal(found(x), model(x))
    assert not found.training


def test_half_precision_and_names_of_a_class():
    weights = {"net.first.weight": torch.ones(4, 2, dtype=torch.bfloat16), "net.first.bias": torch.zeros(4).half()}
    found = steps.read_mlp(save(weights))
    assert found[0].weight.dtype == torch.float32
    assert found(torch.ones(1, 2)).tolist() == [[2.0] * 4]


WRONG = [
    (b"not safetensors at all", "not a readable safetensors file"),
    (b"", "not a readable safetensors file"),
    (save({"a.weight": torch.ones(2, 3), "b.weight": torch.ones(2, 3)}), "widths must chain"),
    (save({"a.weight": torch.ones(2)}), "linear layer are needed"),
    (save({"a.weight": torch.ones(2, 3), "a.bias": torch.ones(3)}), "linear layer are needed"),
    (save({"a.weight": torch.full((2, 3), float("nan"))}), "NaN"),
    (save({"a.weight": torch.ones(2, 3, dtype=torch.int32)}), "whole numbers"),
    (save({"a.weight": torch.ones(2, 3), "running_mean": torch.ones(2)}), "'running_mean'; a perceptron"),
    (save({"bias": torch.ones(2)}), "a perceptron of 1 to 16"),
    (save({f"{k}.weight": torch.ones(1, 1) for k in range(17)}), "17 weights"),
]


@pytest.mark.parametrize(("contents", "message"), WRONG)
def test_what_is_no_perceptron_is_refused(contents, message):
    with pytest.raises(ValueError, match=message):
        steps.read_mlp(contents, name="m.safetensors")
    with pytest.raises(ValueError, match="unknown activation"):
        steps.read_mlp(contents, activation="swish")


def test_a_network_must_fit_the_samples():
    data = steps.read_data(CSV.encode(), name="t.csv").data
    with pytest.raises(ValueError, match="takes 6 features and tells 3 classes"):
        files.fits(steps.read_mlp(save(perceptron(2).state_dict())), data)
    own = steps.read_mlp(save({"a.weight": torch.randn(2, 2, generator=torch.Generator().manual_seed(0))}))
    files.fits(own, data)
    ds = steps.limits(own, data=data, samples=4)
    assert np.isfinite(ds.tau.sel(predictor="bound")).all()
