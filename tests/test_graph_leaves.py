"""The leaves that graphs bring, each beside what torch does: shape, MACs, bytes saved, storage."""

from functools import partial
from itertools import count

import pytest
import test_layers
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop_count

from resnet_cli.analyses.memory.storage import PRECISIONS, total
from resnet_cli.layers import base
from resnet_cli.layers.elementwise import KINDS, Elementwise, Softmax
from resnet_cli.layers.moves import Joined, Rearranged
from resnet_cli.layers.normalisation import Norm
from resnet_cli.layers.products import Attention, Embedding, MatrixProduct, Recurrent
from resnet_cli.layers.reach import Seen
from resnet_cli.layers.shaping import Copy, Stored, View
from resnet_cli.layers.windows import Convolution, Pool, Reduction, Resize, Window

BATCH = 2
MAP = (4, 9, 12)
TOKENS = (10, 8)
LSTM = nn.LSTM(8, 6, batch_first=True, bidirectional=True)
GRU = nn.GRU(8, 6, 2, batch_first=True)


def held(module):
    """The tensors of a recurrent layer: name, shape."""
    return tuple((name, tuple(tensor.shape)) for name, tensor in module.named_parameters())


def recurrent(module, *x):
    return module.to(x[0].device)(*x)[0]


def window(kernel, stride=(1, 1), padding=(0, 0), dilation=(1, 1)):
    return Window(kernel, stride, padding, dilation)


CASES = {  # a leaf, what torch runs, shapes of what it reads, shapes of its own tensors
    "unequal": (
        Convolution("x", "convolution", (6, 9, 6), (6, 4, 1, 3), window((1, 3), (1, 2), (0, 1)), bias=True),
        lambda x, w, b: F.conv2d(x, w, b, (1, 2), (0, 1)), [MAP], [(6, 4, 1, 3), (6,)],
    ),
    "dilated": (
        Convolution(
            "x", "convolution", (4, 5, 8), (4, 1, 3, 3), window((3, 3), dilation=(2, 2)), groups=4
        ),
        lambda x, w: F.conv2d(x, w, dilation=2, groups=4), [MAP], [(4, 1, 3, 3)],
    ),
    "transposed": (
        Convolution(
            "x", "transposed convolution", (6, 18, 24), (4, 6, 2, 2), window((2, 2), (2, 2)), bias=True,
            transposed=True,
        ),
        lambda x, w, b: F.conv_transpose2d(x, w, b, 2), [MAP], [(4, 6, 2, 2), (6,)],
    ),
    "along time": (
        Convolution("x", "1-d convolution", (5, 8), (5, 10, 3), Window((3,), (1,), (1,), (1,))),
        lambda x, w: F.conv1d(x, w, padding=1), [TOKENS], [(5, 10, 3)],
    ),
    "computed kernel": (
        Convolution("x", "convolution", (6, 9, 12), (6, 4, 1, 1), window((1, 1)), own=False),
        None, [MAP, (6, 4, 1, 1)], [],
    ),
    "max pool": (
        Pool("x", "max pool", (4, 4, 12), window((3, 1), (2, 1)), True),
        lambda x: F.max_pool2d(x, (3, 1), (2, 1)), [MAP], [],
    ),
    "average pool": (
        Pool("x", "average pool", (4, 4, 12), window((3, 1), (2, 1)), False),
        lambda x: F.avg_pool2d(x, (3, 1), (2, 1)), [MAP], [],
    ),
    "mean": (Reduction("x", "mean", (10,), (1,)), lambda x: x.mean(-1), [TOKENS], []),
    "nearest": (
        Resize("x", "resizing", (4, 18, 24), 1, anchor="edge"), lambda x: F.interpolate(x, scale_factor=2), [MAP], [],
    ),
    "bilinear": (
        Resize("x", "resizing", (4, 18, 24), 2),
        lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"), [MAP], [],
    ),
    "matmul": (
        MatrixProduct("x", "matrix product", (3, 10, 10), 8, letters=("bij", "bjk", "bik")),
        lambda x, y: x @ y, [(3, 10, 8), (3, 8, 10)], [],
    ),
    "attention": (
        Attention("x", "attention", (3, 10, 8), False),
        F.scaled_dot_product_attention, [(3, 10, 8)] * 3, [],
    ),
    "causal attention": (
        Attention("x", "attention", (3, 10, 8), True),
        partial(F.scaled_dot_product_attention, is_causal=True), [(3, 10, 8)] * 3, [],
    ),
    "LSTM": (Recurrent("x", "LSTM", (10, 12), held(LSTM), 10), partial(recurrent, LSTM), [TOKENS], []),
    "GRU": (Recurrent("x", "GRU", (10, 6), held(GRU), 10), partial(recurrent, GRU), [TOKENS], []),
    "softmax": (Softmax("x", "softmax", TOKENS), lambda x: x.softmax(-1), [TOKENS], []),
    "layer norm": (
        Norm("x", "layer norm", TOKENS, (("weight", (8,)), ("bias", (8,))), 20),
        lambda x, w, b: F.layer_norm(x, (8,), w, b), [TOKENS], [(8,), (8,)],
    ),
    "batch norm of tokens": (
        Norm("x", "batch norm", TOKENS, (("weight", (10,)), ("bias", (10,))), 20, of_batch=True),
        lambda x, w, b: F.batch_norm(x, None, None, w, b, True), [TOKENS], [(10,), (10,)],
    ),
    "reshape": (View("x", "reshape", (80,)), lambda x: x.flatten(1), [TOKENS], []),
    "permutation": (View("x", "permutation", (8, 10), Rearranged(order=(1, 0))), lambda x: x.transpose(1, 2), [TOKENS], []),
    "concatenation": (
        Copy("x", "concatenation", (8, 9, 12), Joined(0)), lambda x, y: torch.cat((x, y), 1), [MAP, MAP], [],
    ),
    "GELU": (Elementwise("x", "GELU", TOKENS), F.gelu, [TOKENS], []),
    "hard swish": (Elementwise("x", "hard swish", MAP), F.hardswish, [MAP], []),
    "product": (Elementwise("x", "product", MAP), lambda x, y: x * y, [MAP, (4, 1, 1)], []),
    "addition": (Elementwise("x", "addition", MAP), lambda x, y: x + y, [MAP, MAP], []),
    "tanh": (Elementwise("x", "tanh", MAP), torch.tanh, [MAP], []),
    "exponential": (Elementwise("x", "exponential", MAP), torch.exp, [MAP], []),
}  # fmt: skip
ELSEWHERE = {Embedding, Stored}  # integers in, or nothing
EACH = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
RUN = pytest.mark.parametrize(
    "case", [case for case in CASES.values() if case[1]], ids=[n for n, c in CASES.items() if c[1]]
)


def tensors(shapes, first, lead=(), **how):
    return [
        torch.rand(*lead, *shape, generator=torch.Generator().manual_seed(seed)).to(**how)
        for shape, seed in zip(shapes, count(first))
    ]


def test_every_leaf_of_graphs_is_here():
    """A leaf that graphs bring is asked everything."""
    asked = {type(leaf) for leaf, *_ in CASES.values()} | ELSEWHERE
    assert asked == {leaf for leaf in test_layers.leaves() if issubclass(leaf, base.OfGraph)}


@EACH
def test_answers_everything(case):
    """No reading is left out, and the arithmetic of a derivation gives what it says."""
    leaf, _, x, _ = case
    assert test_layers.unanswered(type(leaf)) == []
    y = leaf.output_shape(*x)
    for step in (base.macs(leaf, tuple(x), y), base.parameters(leaf)):
        assert test_layers.evaluated(step.numbers) == step.result
    seen = [Seen.of_input(shape, range(len(shape))) for shape in x]
    assert leaf.reach(seen, tuple(x), y).shape == y
    assert leaf.operations(tuple(x), y) >= 0 and leaf.operator
    with pytest.raises(NotImplementedError):
        leaf.module()


@RUN
def test_shape_and_macs(case):
    """The shape of torch's output, and half of what its flop counter sees, on the meta device."""
    leaf, run, x, own = case
    made = [*tensors(x, 0, (BATCH,), device="meta"), *tensors(own, 9, device="meta")]
    with FlopCounterMode(display=False) as counter:
        y = run(*made)
    assert tuple(y.shape[1:]) == leaf.output_shape(*x)
    assert 2 * BATCH * leaf.macs(tuple(x), leaf.shape) == counter.get_total_flops()
    assert sum(t.numel() for t in made[len(x) :]) == base.parameters(leaf).result or not own


@RUN
def test_saved_bytes(case):
    """Storages that autograd's hooks see, weights left out; a recurrent layer's differ by the machine."""
    leaf, run, x, own = case
    if isinstance(leaf, Recurrent):
        return
    made = [t.requires_grad_() for t in (*tensors(x, 0, (BATCH,)), *tensors(own, 9))]
    weights = {t.untyped_storage()._cdata for t in made[len(x) :]}
    storages, alive = {}, []

    def pack(tensor):
        if tensor.untyped_storage()._cdata not in weights:
            storages[tensor.untyped_storage()._cdata] = tensor.untyped_storage().nbytes()
            alive.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        y = run(*made)
    saves = leaf.saves(tuple(x), leaf.shape)
    expected = sum(made[at].numel() * 4 for at in saves.inputs) + saves.output * y.numel() * 4
    beside = total(PRECISIONS["fp32"].pieces(saves.beside)).of(BATCH)
    assert expected + beside == sum(storages.values())
    shared = y.untyped_storage()._cdata == made[0].untyped_storage()._cdata
    assert leaf.shares(training=True, inplace=False) == shared


@RUN
def test_gradients(case):
    """MACs of a real backward pass, on the meta device."""
    leaf, run, x, own = case
    if isinstance(leaf, Recurrent):
        return
    made = [
        t.requires_grad_()
        for t in (*tensors(x, 0, (BATCH,), device="meta"), *tensors(own, 9, device="meta"))
    ]
    y = run(*made)
    with FlopCounterMode(display=False) as counter:
        y.sum().backward()
    of_inputs, of_tensors = leaf.gradients(tuple(x), leaf.shape, [True] * len(x))
    of_tensors *= getattr(leaf, "groups", 1)  # which torch's counter forgets there
    expected = counter.get_total_flops()
    if isinstance(leaf, Attention):  # on the meta device scores are kept, elsewhere computed again
        expected = sdpa_backward_flop_count(y.shape, *(t.shape for t in made))
    assert 2 * BATCH * (of_inputs + of_tensors) == expected


def test_embedding():
    """A table's rows: no MACs, the table's numbers as parameters, its indices saved."""
    leaf = Embedding("x", "embedding", (10, 8), (100, 8), own=True)
    assert (leaf.macs(((10,),), (10, 8)), base.parameters(leaf).result) == (0, 800)
    assert Embedding("x", "embedding", (10, 8), (100, 8), own=False).tensors() == {}
    assert test_layers.unanswered(Embedding) == []


def test_stored():
    """A parameter that is read as it is has its path for its name; a buffer is none."""
    leaf = Stored("gamma", "parameter", (8,), (1, 8), learned=True)
    assert (leaf.parameters(), leaf.buffers(), leaf.macs((), (8,))) == ({"": (1, 8)}, {}, 0)
    assert Stored("mask", "buffer", (8,), (8,), learned=False).buffers() == {"": (8,)}
    assert test_layers.unanswered(Stored) == []


def test_kinds():
    """Each operation element by element costs something; what it saves are places of inputs, or its output."""
    for kind in KINDS.values():
        assert kind.operations > 0 and (set(kind.saves) <= {*"012y"} or kind.saves == "yx")
