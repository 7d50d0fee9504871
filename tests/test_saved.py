"""What autograd saves of other people's networks: the rows of a .pt2 against saved-tensor hooks on the module, byte by byte."""

import warnings

import allocation
import pytest
import torch

from resnet_cli import networks
from resnet_cli.analyses.memory.saved import saved
from resnet_cli.analyses.memory.storage import PRECISIONS
from resnet_cli.graphs.read import read

BATCH = 2
SLOW = (
    "botnet26t_256", "coatnet_0_rw_224", "crossvit_tiny_240", "densenet121", "ghostnet_100", "hiera_tiny_224",
    "mobilevit_s", "mvitv2_tiny", "poolformer_s12", "swin_tiny_patch4_window7_224", "vit_tiny_patch16_224",
    "tv_mobilenet_v3_large", "tv_r3d_18", "tv_vit_b_16",
)  # fmt: skip
FULL = (
    "beit_base_patch16_224", "convnext_tiny", "cspresnet50", "davit_tiny", "dla34", "dpn68", "eca_nfnet_l0",
    "edgenext_small", "efficientformer_l1", "efficientnet_b0", "eva02_tiny_patch14_224", "fastvit_t8",
    "focalnet_tiny_srf", "gcresnet50t", "halonet26t", "hrnet_w18_small", "inception_next_tiny",
    "lambda_resnet26t", "maxvit_tiny_tf_224", "mixer_b16_224", "nest_tiny", "nfnet_f0", "pvt_v2_b0",
    "repvgg_a0", "res2net50_26w_4s", "resnest50d", "samvit_base_patch16_224", "skresnet18",
    "tf_efficientnetv2_b0", "tnt_s_patch16_224", "tresnet_m", "twins_svt_small", "vitamin_small_224",
    "volo_d1_224", "vovnet39a", "xcit_nano_12_p8_224",
    "tv_deeplabv3_resnet50", "tv_maxvit_t", "tv_mobilenet_v2", "tv_s3d", "tv_shufflenet_v2_x1_0",
    "tv_swin3d_t", "tv_swin_v2_t",
)  # fmt: skip


@pytest.fixture(scope="module")
def torchvision():
    """torchvision, also where its kernels are for another torch."""
    try:
        import torchvision
    except RuntimeError:
        operators = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            operators.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import torchvision

        torchvision.operators = operators  # they are gone with it
    except ImportError as problem:
        pytest.skip(f"could not import 'torchvision': {problem}")
    return torchvision


def made(name, torchvision):
    """timm's or torchvision's (tv_) network on the meta device, and a shape for it; nothing is left to chance in it."""
    timm = pytest.importorskip("timm")
    with torch.device("meta"):
        if not name.startswith("tv_"):
            net = timm.create_model(name)
            size = net.default_cfg["input_size"]
        else:
            backbone = {"weights_backbone": None} if name.startswith("tv_deeplab") else {}
            net = torchvision.models.get_model(name.removeprefix("tv_"), weights=None, **backbone)
            video = name in ("tv_r3d_18", "tv_s3d", "tv_swin3d_t")
            size = (3, 16, 112, 112) if video else (3, 224, 224)
    for module in net.modules():  # blocks left out at random
        for rate in ("drop_prob", "p") if "Drop" in str(type(module)) else ("p",):
            if hasattr(module, rate) and not isinstance(module, torch.nn.Dropout):
                setattr(module, rate, 0.0)
    return net, size


@pytest.mark.parametrize(
    "name",
    [
        *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW),
        *(pytest.param(name, marks=pytest.mark.full) for name in FULL),
    ],
)
def test_saved_bytes_of_others_networks(name, torchvision, tmp_path):
    """Attention of every kind, windows, gates, branches, dense and recurrent reads: as the hooks see it, two inputs."""
    net, size = made(name, torchvision)
    x = torch.zeros(BATCH, *size, device="meta")
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.export.save(torch.export.export(net.eval(), (x,)), tmp_path / "net.pt2")
    network = networks.of_graph(read(str(tmp_path / "net.pt2")), name, networks.Origin("pt2"))
    with allocation.attention_as_on_a_cpu():
        expected = allocation.saved(net.train(), x)
    held = saved(network.rows, PRECISIONS["fp32"], inplace=False, checkpoint=False)
    assert sum(part.of(1) for part in held.rows) == expected
