"""A VGG network as the pieces of a stand-alone PyTorch file."""

from __future__ import annotations

from resnet_cli.designs.vgg import VGG


def vgg_pieces(spec: VGG) -> list[str]:
    """The function that makes a stage, and the network."""
    return [_stage(spec.batch_norm), _network(spec)]


def _stage(batch_norm: bool) -> str:
    norm = "nn.BatchNorm2d(width), " if batch_norm else ""
    return f'''def _stage(channels: int, width: int, convolutions: int) -> list[nn.Module]:
    """3x3 convolutions of one width, then a pooling that halves the size."""
    layers: list[nn.Module] = []
    for _ in range(convolutions):
        convolution = nn.Conv2d(channels, width, 3, padding=1)
        layers += [convolution, {norm}nn.ReLU(inplace=True)]
        channels = width
    return [*layers, nn.MaxPool2d(2)]'''


def _network(spec: VGG) -> str:
    widths = [spec.width * times for times in (1, 2, 4, 8, 8)]
    channels = [spec.in_channels, *widths]
    stages = "\n".join(
        f"            *_stage({before}, {width}, convolutions={convolutions}),"
        for before, width, convolutions in zip(channels, widths, spec.stages, strict=False)
    )
    return f'''class VGG(nn.Module):
    """Five stages of 3x3 convolutions and three fully connected layers."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
{stages}
        )
        self.avgpool = nn.AdaptiveAvgPool2d(7)
        self.classifier = nn.Sequential(
            nn.Linear({widths[-1]} * 7 * 7, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(4096, num_classes),
        )

        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.01)
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.avgpool(self.features(x))
        return self.classifier(x.flatten(1))'''
