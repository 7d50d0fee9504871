"""Programs of torch.export are read without torch: what is in them, what is refused, no pickle opened."""

import subprocess
import sys
import zipfile

import pytest
import torch
from graph_files import STACK, archive, argument, convolutional, described, program, saved, tensor
from safetensors.torch import save_file
from torch import nn

from resnet_cli.errors import UserError
from resnet_cli.graphs.graph import Graph, Module, Open, Range, Ref
from resnet_cli.graphs.pt2 import read as pt2
from resnet_cli.graphs.pt2.read import TYPES
from resnet_cli.graphs.read import holds_graph, read


def refused(path, what):
    """The file is refused in one line that has these words."""
    with pytest.raises(UserError, match=what) as problem:
        read(str(path))
    assert problem.value.code == 1 and "\n" not in str(problem.value)


def changed(path, *keys, value):
    """A program with one part of it another."""
    whole = part = program()
    for key in keys[:-1]:
        part = part[key]
    part[keys[-1]] = value
    return archive(whole, path)


GRAPH = ("graph_module", "graph")


# ---- what is read -------------------------------------------------------------------------------


def test_operations_tensors_and_names(tmp_path):
    """Operators, arguments by name, sizes as expressions, modules with calls, a line of their own program."""
    graph = read(archive(program(), tmp_path / "a.pt2"))
    assert (graph.format, graph.version, graph.producer) == ("pt2", "schema 8.20", "torch 2.13.0")
    assert (graph.inputs, graph.outputs, graph.symbols) == (("x",), ("view",), {"s0": Range(1, 64)})
    conv, view = graph.nodes
    assert (conv.domain, conv.operator) == ("aten", "conv2d.default")
    assert (conv.inputs, conv.outputs) == (("x", "p_w"), ("conv2d",))
    assert conv.attributes == {
        "input": Ref("x"), "weight": Ref("p_w"), "bias": None, "padding": (1, 1),
    }  # fmt: skip
    assert conv.modules == (
        Module("layer1", "torch.nn.modules.container.Sequential"),
        Module("layer1.0", "torch.nn.modules.conv.Conv2d", 1),
    )
    assert conv.source == "/home/me/net.py:12"
    assert view.attributes["size"] == (Open("s0"), -1)
    assert graph.tensors["view"].shape == ("s0", 256)
    weight, buffer = graph.tensors["p_w"], graph.tensors["b_k"]
    assert (weight.kind, weight.path, weight.shape) == (
        "parameter",
        "layer1.0.weight",
        (4, 3, 3, 3),
    )
    assert (buffer.kind, buffer.path, buffer.dtype) == ("buffer", "k", "float32")


def test_the_layout_before_torch_2_8(tmp_path):
    """One flat archive with serialized_exported_program.json, made by the description in torch 2.7's source."""
    old = archive(program(), tmp_path / "a.pt2", "serialized_exported_program.json")
    assert read(old).nodes == read(archive(program(), tmp_path / "b.pt2")).nodes


def test_files_of_graphs_are_told_from_others(tmp_path):
    """By content: weights, pages and damaged files are none."""
    assert holds_graph(archive(program(), tmp_path / "a.pth"))
    assert holds_graph(saved(convolutional(), tmp_path / "a.bin"))
    weights = {"w": torch.zeros(2), "layer1.0.weight": torch.zeros(3)}
    torch.save(weights, tmp_path / "w.pt2")
    torch.save(weights, tmp_path / "old.onnx", _use_new_zipfile_serialization=False)
    save_file(weights, tmp_path / "w.onnx")
    (tmp_path / "page.onnx").write_text("<html></html>")
    (tmp_path / "empty.onnx").touch()
    (tmp_path / "cut.onnx").write_bytes((tmp_path / "a.bin").read_bytes()[:-9])
    for name in ("w.pt2", "old.onnx", "w.onnx", "page.onnx", "empty.onnx", "cut.onnx", "none.onnx"):
        assert not holds_graph(str(tmp_path / name)), name


def test_a_newer_minor_version_is_noted(tmp_path):
    """Of the major version that is known; another is refused."""
    minor = {"major": 8, "minor": 99}
    assert "8.99" in read(changed(tmp_path / "a.pt2", "schema_version", value=minor)).notes[0]
    major = {"major": 9, "minor": 0}
    refused(changed(tmp_path / "b.pt2", "schema_version", value=major), "schema '9'; 8 is read")


def test_bodies_are_kept_and_not_run(tmp_path):
    """The branches of a torch.cond are graphs among its arguments."""
    body = {
        "inputs": [tensor("a")], "outputs": [tensor("a")], "nodes": [], "sym_int_values": {},
        "tensor_values": {"a": described(1)},
    }  # fmt: skip
    cond = {
        "target": "torch.ops.higher_order.cond",
        "inputs": [argument("", **tensor("x")), argument("", as_graph={"name": "yes", "graph": body})],
        "outputs": [tensor("view")], "metadata": {},
    }  # fmt: skip
    node = read(changed(tmp_path / "a.pt2", *GRAPH, "nodes", 1, value=cond)).nodes[1]
    inner = [part for part in node.attributes.values() if isinstance(part, Graph)]
    assert (node.domain, node.operator) == ("higher_order", "cond")
    assert [(part.name, part.inputs) for part in inner] == [("yes", ("a",))]


def test_a_region_gives_way_to_what_is_in_it(tmp_path):
    """Under no_grad or autocast operations run once, as they stand, on the tensors outside."""
    relu = {
        "target": "torch.ops.aten.relu.default", "inputs": [argument("self", **tensor("a"))],
        "outputs": [tensor("r")], "metadata": {"nn_module_stack": STACK},
    }  # fmt: skip
    body = {
        "inputs": [tensor("a")], "outputs": [tensor("r"), tensor("a")], "nodes": [relu],
        "sym_int_values": {}, "tensor_values": {"a": described("s0"), "r": described("s0")},
    }  # fmt: skip
    region = {
        "target": "torch.ops.higher_order.wrap_with_set_grad_enabled",
        "inputs": [
            argument("", as_bool=False), argument("", as_graph={"name": "g", "graph": body}),
            argument("", **tensor("conv2d")),
        ],
        "outputs": [tensor("view"), tensor("b_k")], "metadata": {},
    }  # fmt: skip
    whole = program()
    whole["graph_module"]["graph"]["nodes"][1] = region
    whole["graph_module"]["graph"]["inputs"].pop(1)
    graph = read(archive(whole, tmp_path / "a.pt2"))
    assert [(n.operator, n.inputs, n.outputs) for n in graph.nodes[1:]] == [
        ("relu.default", ("conv2d",), ("view",)), ("alias.default", ("conv2d",), ("b_k",)),
    ]  # fmt: skip
    assert graph.nodes[1].attributes == {"self": Ref("conv2d")}
    assert graph.nodes[1].modules[-1].path == "layer1.0"


class Net(nn.Module):
    """A convolution called twice, a size that is computed, a buffer, and one output of a split unused."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.ReLU())
        self.norm = nn.BatchNorm2d(4)
        self.head = nn.Linear(8, 2)
        self.unused = nn.Linear(1, 1)

    def forward(self, x):
        x = self.norm(self.stem(self.stem(x)))
        left, _ = x.flatten(2).chunk(2, -1)
        return self.head(left.reshape(x.shape[0], -1, 8))


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """What torch.export makes of the network, and the graph that is read from its file."""
    path = str(tmp_path_factory.mktemp("export") / "net.pt2")
    with torch.device("meta"):
        net, x = Net().eval(), torch.zeros(2, 4, 6, 8)
    sizes = {"x": {0: torch.export.Dim.AUTO, 2: torch.export.Dim.AUTO}}
    whole = torch.export.export(net, (x,), dynamic_shapes=sizes)
    torch.export.save(whole, path)
    return whole, read(path)


@pytest.mark.slow
def test_operations_as_torch_has_them(exported):
    """The same operators in the same order, with the same tensors in and out."""
    whole, graph = exported
    calls = [node for node in whole.graph.nodes if node.op == "call_function"]
    calls = [node for node in calls if "getitem" not in str(node.target)]
    assert [f"{node.domain}.{node.operator}" for node in graph.nodes] == [
        str(node.target) if "." in str(node.target) else f"_operator.{node.target.__name__}"
        for node in calls
    ]
    assert [node.inputs for node in graph.nodes] == [
        tuple(x.name for x in node.all_input_nodes if isinstance(x.meta["val"], torch.Tensor))
        for node in calls
    ]


@pytest.mark.slow
def test_shapes_as_torch_has_them(exported):
    """Every tensor's, symbols by torch's names for them; and its element type."""
    whole, graph = exported
    for node in whole.graph.nodes:
        value = node.meta.get("val")
        if isinstance(value, torch.Tensor):
            tensor = graph.tensors[node.name]
            assert [str(size).replace(" ", "") for size in tensor.shape] == [
                str(size).replace(" ", "") for size in value.shape
            ]
            assert tensor.dtype == str(value.dtype).removeprefix("torch.")


@pytest.mark.slow
def test_parameters_as_torch_has_them(exported):
    """Names and shapes of the state dict, with those that nothing uses."""
    whole, graph = exported
    own = {t.path: t.shape for t in graph.tensors.values() if t.kind in ("parameter", "buffer")}
    assert own == {name: tuple(value.shape) for name, value in whole.state_dict.items()}


@pytest.mark.slow
def test_modules_as_torch_has_them(exported):
    """The second call of a module is told apart from the first."""
    _, graph = exported
    stacks = [n.modules for n in graph.nodes if n.operator == "conv2d.default"]
    assert [[module.path for module in stack] for stack in stacks] == [["stem", "stem.0"]] * 2
    assert [stack[-1].call for stack in stacks] == [0, 1]
    assert graph.nodes[-1].modules[-1] == Module("head", "torch.nn.modules.linear.Linear")


@pytest.mark.slow  # imports much of torch
def test_element_types_are_torchs():
    """The table of numbers is the one in torch's own schema."""
    from torch._export.serde.schema import ScalarType
    from torch._export.serde.serialize import _TORCH_TO_SERIALIZE_DTYPE

    known = {
        code.value: str(t).removeprefix("torch.") for t, code in _TORCH_TO_SERIALIZE_DTYPE.items()
    }
    assert {code: name for code, name in TYPES.items() if code in known} == known
    assert set(TYPES) == {code.value for code in ScalarType} - {ScalarType.UNKNOWN.value}


# ---- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        ((*GRAPH, "nodes", 0, "inputs", 0, "arg", "as_tensor", "name"), "nobody"),
        ((*GRAPH, "nodes", 0, "inputs", 0, "arg", "as_tensor", "name"), {"a": 1}),
        ((*GRAPH, "nodes", 0, "outputs", 0, "as_tensor", "name"), "view"),
        ((*GRAPH, "nodes", 0, "target"), "torch.ops.\x1b[2J"),
        ((*GRAPH, "nodes"), None),
        ((*GRAPH, "tensor_values", "x", "sizes"), [{"as_int": "9"}]),
        ((*GRAPH, "tensor_values", "x", "sizes"), [{"as_int": 10**30}]),
        ((*GRAPH, "tensor_values", "x", "sizes"), [{"as_int": 1}] * 100),
        (("schema_version",), {"major": 8}),
        (("graph_module",), []),
        (("range_constraints",), 3),
    ],
)
def test_damaged_programs_are_refused(tmp_path, keys, value):
    """What is unlike torch's schema, in one line."""
    refused(changed(tmp_path / "a.pt2", *keys, value=value), "pt2' ")


def test_operations_in_a_circle_are_refused(tmp_path):
    """Each reads what the other makes."""
    circle = program()
    circle["graph_module"]["graph"]["nodes"][0]["inputs"][0] = argument("input", **tensor("view"))
    refused(archive(circle, tmp_path / "a.pt2"), "in a circle")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"[" * 100_000, "nested too deeply|not valid"),
        (b"{", "not valid"),
        (b"\xff", "not valid"),
        (b"[]", "no object"),
        (b'{"schema_version": ' + b"9" * 10_000 + b"}", "not valid"),
    ],
)
def test_json_that_is_none_is_refused(tmp_path, content, what):
    """Before it takes time or memory."""
    refused(archive(content, tmp_path / "a.pt2"), what)


def test_json_of_many_parts_is_refused(tmp_path, monkeypatch):
    """As in memory it takes many times its length."""
    monkeypatch.setattr(pt2, "MOST_MARKS", 100)
    refused(archive(program(), tmp_path / "a.pt2"), "too many parts")
    monkeypatch.setattr(pt2, "MOST_BYTES", 100)
    refused(archive(program(), tmp_path / "a.pt2"), "over the limit of 100")


def test_other_archives_are_refused(tmp_path):
    """Compressed ones, ones of other programs, several models in one, a wrong checksum."""
    path = tmp_path / "a.pt2"
    refused(archive(program(), path, method=zipfile.ZIP_DEFLATED), "compressed")
    refused(archive(program(), path, "net/data/weights/x"), "without a program")
    two = archive(program(), path)
    with zipfile.ZipFile(two, "a") as file:
        file.writestr("net/models/other.json", "{}")
    refused(two, "2 models")
    archive(program(), path)
    path.write_bytes(path.read_bytes().replace(b"aten.conv2d", b"aten.conv3d", 1))
    refused(path, "checksum")


def test_graphs_in_one_another_are_bounded(tmp_path):
    """A body in a body in a body."""
    body = {"inputs": [], "outputs": [], "nodes": [], "sym_int_values": {}, "tensor_values": {}}
    for _ in range(40):
        inner = argument("b", as_graph={"name": "b", "graph": body})
        node = {
            "target": "torch.ops.higher_order.cond",
            "inputs": [inner],
            "outputs": [],
            "metadata": {},
        }
        body = {**body, "nodes": [node]}
    refused(changed(tmp_path / "a.pt2", *GRAPH, "nodes", value=body["nodes"]), "deep")


def test_nothing_heavy_is_imported(tmp_path):
    """Both readers work where there is no torch, no onnx and no numpy; and no pickle is opened."""
    pt2 = archive(program(), tmp_path / "a.pt2")
    onnx = saved(convolutional(), tmp_path / "a.onnx")
    code = (
        "import sys\n"
        "class Block:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name.split('.')[0] in ('torch', 'onnx', 'numpy', 'pickle', 'google'):\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Block())\n"
        "from resnet_cli.graphs.read import holds_graph, read\n"
        "from resnet_cli.graphs.bind import bound\n"
        "from resnet_cli.graphs.onnx.shapes import inferred\n"
        f"print(bound(read({pt2!r})).tensors['view'].shape)\n"
        f"print(inferred(bound(read({onnx!r}))).tensors['y'].shape)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split("\n") == ["(1, 256)", "(1, 5)", ""]
