"""Other people's networks: rows of a .pt2 against what autograd saves and multiplies, and what fvcore counts."""

import math

import allocation
import pytest
import torch
from others import exported, made, recorded
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop_count, sdpa_flop_count

from resnet_cli.analyses.cost.counts import activations_of
from resnet_cli.analyses.cost.training import costs
from resnet_cli.analyses.memory.saved import saved
from resnet_cli.analyses.memory.storage import PRECISIONS
from resnet_cli.pytorch import measure

BATCH = 2
SLOW = (
    "botnet26t_256", "coatnet_0_rw_224", "hiera_tiny_224", "mobilevit_s", "mvitv2_tiny",
    "swin_tiny_patch4_window7_224", "vit_tiny_patch16_224", "tv_mobilenet_v2", "tv_r3d_18", "tv_vit_b_16",
)  # fmt: skip
FULL = (
    "beit_base_patch16_224", "convnext_tiny", "crossvit_tiny_240", "cspresnet50", "davit_tiny", "densenet121",
    "dla34", "dpn68", "eca_nfnet_l0", "edgenext_small", "efficientformer_l1", "efficientnet_b0",
    "eva02_tiny_patch14_224", "fastvit_t8", "focalnet_tiny_srf", "gcresnet50t", "ghostnet_100", "halonet26t",
    "hrnet_w18_small", "inception_next_tiny", "lambda_resnet26t", "maxvit_tiny_tf_224", "mixer_b16_224",
    "nest_tiny", "nfnet_f0", "poolformer_s12", "pvt_v2_b0", "repvgg_a0", "res2net50_26w_4s", "resnest50d",
    "samvit_base_patch16_224", "skresnet18", "tf_efficientnetv2_b0", "tnt_s_patch16_224", "tresnet_m",
    "twins_svt_small", "vitamin_small_224", "volo_d1_224", "vovnet39a", "xcit_nano_12_p8_224",
    "tv_deeplabv3_resnet50", "tv_maxvit_t", "tv_s3d", "tv_shufflenet_v2_x1_0", "tv_swin3d_t", "tv_swin_v2_t",
)  # fmt: skip
ATTENTION = {  # as torch counts a kernel of a GPU; of a CPU's its counter knows nothing
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: (
        lambda q, k, v, *_, **__: sdpa_flop_count(q, k, v)
    ),
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: (
        lambda y, q, k, v, *_, **__: sdpa_backward_flop_count(y, q, k, v)
    ),
}


def bytes_saved(network):
    held = saved(network.rows, PRECISIONS["fp32"], inplace=False, checkpoint=False)
    return sum(part.of(network.batch) for part in held.rows)


def macs_by_torch(run):
    with FlopCounterMode(display=False, custom_mapping=ATTENTION) as counter:
        result = run()
    return result, counter.get_total_flops() // 2


@pytest.mark.parametrize(
    "name",
    [
        *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW),
        *(pytest.param(name, marks=pytest.mark.full) for name in FULL),
    ],
)
def test_others_networks(name):
    """Saved bytes in training equal autograd's hooks', MACs forward and backward torch's counter's, for two inputs.

    Windows, grids, attention in one kernel and in products, gates, dense and parallel branches.
    """
    net, size = made(name)
    x = torch.zeros(BATCH, *size, device="meta")
    network = recorded(net, x)
    with allocation.attention_as_on_a_cpu():
        assert bytes_saved(network) == allocation.saved(net.train(), x)
        y, forward = macs_by_torch(lambda: net(x))
        results = [each.sum() for each in tree_leaves(y) if isinstance(each, torch.Tensor)]
        _, backward = macs_by_torch(sum(results).backward)
    passes = costs(network.rows)
    assert sum(each.forward for each in passes) == forward
    groups = [
        getattr(row.layer, "groups", 1) for row in network.rows
    ]  # which torch forgets of weights
    computed = [not getattr(row.layer, "own", True) for row in network.rows]
    if not any(many > 1 for many, of in zip(groups, computed, strict=True) if of):
        own = zip(passes, groups, strict=True)
        assert sum(p.input_gradient + p.weight_gradient * many for p, many in own) == backward


@pytest.mark.slow
@pytest.mark.parametrize("name", ["coatnet_0_rw_224", "swin_tiny_patch4_window7_224"])
def test_a_file_keeps_what_the_module_does(name, tmp_path):
    """Saved bytes by a .pt2, as the module's own run has them."""
    net, size = made(name)
    x = torch.zeros(BATCH, *size, device="meta")
    of_module, of_file = recorded(net, x), exported(net, x, tmp_path / "net.pt2")
    assert bytes_saved(of_module) == bytes_saved(of_file)


class Products(torch.nn.Module):
    """Each way of multiplying that fvcore counts the outputs of."""

    def __init__(self):
        super().__init__()
        self.conv, self.fc = torch.nn.Conv2d(3, 4, 3), torch.nn.Linear(6, 5)
        self.up = torch.nn.ConvTranspose2d(4, 4, 2)

    def forward(self, x):
        y = self.fc(self.conv(x))
        z = torch.einsum("bchw,bcvw->bchv", y, y) @ y
        return self.up(z), torch.bmm(z.flatten(1, 2), z.flatten(1, 2).mT)


def test_activations_by_fvcore():
    """Elements of outputs: convolutions, linear layers, products of all kinds."""
    fvcore = pytest.importorskip("fvcore.nn")
    net, x = Products(), torch.zeros(1, 3, 8, 8)
    counted = fvcore.ActivationCountAnalysis(net, x)
    counted.uncalled_modules_warnings(False)
    total = counted.total()
    network = recorded(net.to("meta"), x.to("meta"))
    assert sum(activations_of(network.rows)) == total


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["levit_128", "mvitv2_tiny", "swin_tiny_patch4_window7_224", "vit_tiny_patch16_224", "xcit_nano_12_p8_224"],
)  # fmt: skip
def test_activations_of_others_networks_by_fvcore(name):
    """Scores count where attention is written in products; of attention in one operator fvcore counts nothing."""
    fvcore = pytest.importorskip("fvcore.nn")
    net, size = made(name)
    network = recorded(net, torch.zeros(1, *size, device="meta"))
    x = torch.zeros(1, *size)
    measure.zeroed(net)
    for buffer in net.buffers():  # indices among them, of which a state has none
        buffer.zero_()
    counted = fvcore.ActivationCountAnalysis(net, x)
    counted.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    assert sum(activations_of(network.rows)) == counted.total()
    if name == "vit_tiny_patch16_224":  # as timm's page of it prints it
        assert math.isclose(counted.total() / 1e6, 4.1, abs_tol=0.05)
