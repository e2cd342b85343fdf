"""A network and samples of one's own, for the tabs where they have a meaning."""

from collections.abc import Mapping
from typing import Any

import panel as pn
import param

from workbench import steps
from workbench.costs import Cost
from workbench.progress import Progress
from workbench.steps import ACTIVATIONS, NETWORKS
from workbench.steps.files import DataReading, fits
from workbench.ui.kit.controls import widget_for
from workbench.ui.kit.upload import ReadUpload, Upload, check_size, file_chooser, reading_line
from workbench.ui.steps.base import StepsView, options

FILE, DIGITS = "file", "digits"
LARGEST_UPLOAD = 32 * 2**20


class SamplesFile(ReadUpload):
    """An uploaded table of labelled samples."""

    def read(self, progress: Progress) -> tuple[DataReading, str]:
        """Read all of the file."""
        reading = steps.read_data(self.data, name=self.name, apart=True, progress=progress)
        return reading, reading.sentence


class OwnView(StepsView):
    """A view whose network and data may come from the visitor; subclasses add ``OWN_INPUTS`` to their inputs."""

    OWN_INPUTS = ("network", "weights", "activation", "dataset", "samples_file")

    network = param.Selector(
        default="mlp-relu", objects=options(NETWORKS) | {"Your own perceptron …": FILE}, label="Network"
    )
    weights = param.ClassSelector(class_=Upload, default=None, allow_None=True)
    activation = param.Selector(default="relu", objects=list(ACTIVATIONS), label="Between its layers")
    dataset = param.Selector(
        default=DIGITS, objects={"Handwritten digits": DIGITS, "Your own samples …": FILE}, label="Samples"
    )
    samples_file = param.ClassSelector(class_=SamplesFile, default=None, allow_None=True)

    def controls(self) -> list[Any]:
        """Return the widgets; the choosers of files stand where a file is asked for."""
        own_network = pn.bind(lambda choice: choice == FILE, self.param.network)
        own_data = pn.bind(lambda choice: choice == FILE, self.param.dataset)
        chooser = file_chooser("Weights of a perceptron (.safetensors)", ".safetensors", self.take_weights)
        table = file_chooser("Samples with classes (.csv, .npz)", ".csv,.tsv,.txt,.npz", self.take_samples)
        others = [name for name in (*self.inputs, *self.display) if name not in self.OWN_INPUTS]
        return [
            widget_for(self, "network"),
            pn.Column(chooser, widget_for(self, "activation"), visible=own_network, sizing_mode="stretch_width"),
            widget_for(self, "dataset"),
            pn.Column(table, reading_line(self, "samples_file"), visible=own_data, sizing_mode="stretch_width"),
            *[widget_for(self, name) for name in others],
        ]

    def take_weights(self, name: str, contents: bytes) -> None:
        """Use an uploaded file as the network."""
        self._take_file(name, contents, "weights", Upload)

    def take_samples(self, name: str, contents: bytes) -> None:
        """Use an uploaded file as the samples."""
        self._take_file(name, contents, "samples_file", SamplesFile)

    def _take_file(self, name: str, contents: bytes, parameter: str, kind: type[Upload]) -> None:
        try:
            check_size(name, contents, LARGEST_UPLOAD)
        except ValueError as error:
            self.complaint = str(error)
        else:
            setattr(self, parameter, kind(name, contents))

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse a missing file; what it holds is judged when it is read."""
        if inputs["network"] == FILE and inputs["weights"] is None:
            raise ValueError("choose a file with the weights of a perceptron (.safetensors)")
        if inputs["dataset"] == FILE and inputs["samples_file"] is None:
            raise ValueError("choose a file of samples with their classes (.csv or .npz)")

    def own(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return ``network`` and, if it is not the digits, ``data`` as the experiments take them; reads the files."""
        found: dict[str, Any] = {"network": inputs["network"]}
        if inputs["dataset"] == FILE:
            found["data"] = inputs["samples_file"].contents().data
        if inputs["network"] == FILE:
            given = inputs["weights"]
            found["network"] = steps.read_mlp(given.data, name=given.name, activation=inputs["activation"])
            fits(found["network"], found.get("data") or steps.digits())
        return found

    def training(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the cost of training a named network on one's own samples, before anything is measured."""
        return Cost(0.0 if inputs["dataset"] == DIGITS or inputs["network"] == FILE else 6.0)

    def known(self, inputs: Mapping[str, Any]) -> str:
        """Return the name of the network for an estimate of its cost; an own one counts as the small perceptron."""
        return "mlp-relu" if inputs["network"] == FILE else inputs["network"]
