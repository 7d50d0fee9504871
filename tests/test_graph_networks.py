"""A file of operations as a network: what it is asked about, what is said of it, when it has a depth."""

import numpy as np
import onnx
import pytest
from graph_files import archive, initialiser, model, program, saved
from onnx import helper

import resnet_cli
from resnet_cli.analyses.cost.counts import depth
from resnet_cli.errors import UserError
from resnet_cli.inputs import Given, Typed
from resnet_cli.models import load


def convolutions(folder, *, reshape=False, beside=False):
    """An .onnx of 1×3×8×8: two convolutions one behind another, or ``beside`` one another; ``reshape`` mixes the batch in."""
    node = helper.make_node
    nodes = [
        node("Conv", ["x", "w"], ["a"], pads=[1] * 4),
        node("Conv", ["x" if beside else "a", "v"], ["b"], pads=[1] * 4),
    ]
    last = "b"
    if beside:
        nodes.append(node("Concat", ["a", "b"], ["c"], axis=1))
        last = "c"
    if reshape:
        nodes.append(node("Reshape", [last, "s"], ["d"]))
        last = "d"
    weights = [initialiser("w", np.ones((3, 3, 3, 3))), initialiser("v", np.ones((3, 3, 3, 3))),
               initialiser("s", [3, 64], "int64")]  # fmt: skip
    made = model(nodes, {"x": [1, 3, 8, 8]}, {last: None}, weights)
    return saved(made, folder / "net.onnx")


MACS = 2 * 3 * 3 * 9 * 64  # of two convolutions, three channels to three at 8×8


def test_a_fixed_batch_is_multiplied_and_said(tmp_path):
    """Where everything leads with the batch of one, four cost four times as much."""
    network = load(convolutions(tmp_path), Given(batch=4))
    assert sum(row.macs for row in network.rows) == 4 * MACS and network.inputs[0].shape[0] == 4
    assert "the file is of a batch of 1: costs are multiplied for 4" in network.notes
    assert not load(convolutions(tmp_path)).notes


def test_a_fixed_batch_that_is_mixed_with_others_is_refused(tmp_path):
    """Three rows of 64 do not lead with a batch of one; with that batch itself it is read."""
    path = convolutions(tmp_path, reshape=True)
    with pytest.raises(UserError, match="a batch of 4 given"):
        load(path, Given(batch=4))
    assert sum(row.macs for row in load(path, Given(batch=1)).rows) == MACS


def test_a_type_that_is_not_the_file_s_is_refused(tmp_path):
    """Its own type may be typed, too."""
    path = convolutions(tmp_path)
    with pytest.raises(UserError, match="is of float32, not int64"):
        load(path, Given((Typed(None, (1, 3, 8, 8), "int64"),)))
    assert load(path, Given((Typed(None, (1, 3, 8, 8), "float32"),))).rows


def test_layers_beside_one_another_have_no_depth(tmp_path):
    """Two behind one another are two; the papers' rule says nothing of two that are side by side."""
    assert depth(load(convolutions(tmp_path)).rows) == 2
    beside = load(convolutions(tmp_path, beside=True))
    assert depth(beside.rows) is None
    answer = resnet_cli.summary(beside)
    assert answer.envelope["total"]["layers"] is None
    assert not any(note.startswith("depth:") for note in answer.notes)


def test_parameters_that_nothing_reads_are_said(tmp_path):
    """A .pt2 lists them: ten of a head that does not run."""
    content = program()
    unread = {"arg": {"name": "p_h"}, "parameter_name": "head.weight"}
    module = content["graph_module"]
    module["signature"]["input_specs"].append({"parameter": unread})
    module["graph"]["inputs"].append({"as_tensor": {"name": "p_h"}})
    values = module["graph"]["tensor_values"]
    values["p_h"] = values["p_w"] | {"sizes": [{"as_int": 10}]}
    notes = load(archive(content, tmp_path / "net.pt2")).notes
    assert "10 parameters are read by no operation: of head" in notes


def test_folded_norms_are_said(tmp_path):
    """torch's exporter leaves the norm's module around the convolution that took it up."""
    path = convolutions(tmp_path)
    made = onnx.load(path)
    for key, value in (
        ("pkg.torch.onnx.name_scopes", "['', 'bn1', 'getitem']"),
        ("pkg.torch.onnx.class_hierarchy", "['mine.Net', 'torch.nn.modules.batchnorm.BatchNorm2d', 'aten.x']"),
    ):  # fmt: skip
        made.graph.node[0].metadata_props.add(key=key, value=value)
    (note,) = load(saved(made, path)).notes
    assert note.startswith("1 batch norms are folded into convolutions")


def test_memory_of_operations_says_what_they_do_not_tell(tmp_path):
    """Of a spec every tensor's life is known; of a pass in eval mode not what its code holds."""
    said = "what the code's own variables hold longer"
    assert any(said in note for note in resnet_cli.memory(convolutions(tmp_path)).notes)
    assert not any(said in note for note in resnet_cli.memory("resnet20").notes)
