"""Whose figures there are: papers, and torchvision's page of weights, by the names that people type."""

from __future__ import annotations

from typing import NamedTuple

from resnet_cli.errors import UserError, did_you_mean, folded


class Paper(NamedTuple):
    """``source`` is what figures.csv calls it, ``also`` what else it is called."""

    source: str
    arxiv: str
    title: str
    also: tuple[str, ...]

    def names(self) -> list[str]:
        """Every name as a whole: he2015, 1512.03385, Deep Residual Learning for …, ResNet."""
        year = self.source.split()[-1]
        return [self.source, self.source.split()[0] + year, self.arxiv, self.title, *self.also]


PAPERS = (
    Paper("He et al. 2015", "1512.03385", "Deep Residual Learning for Image Recognition",
          ("ResNet", "resnet v1", "cvpr2016")),
    Paper("He et al. 2016", "1603.05027", "Identity Mappings in Deep Residual Networks",
          ("preact", "pre-activation", "resnet v2", "preact-resnet", "eccv2016")),
    Paper("Zagoruyko & Komodakis 2016", "1605.07146", "Wide Residual Networks",
          ("WRN", "Wide ResNet", "zagoruyko")),
    Paper("Xie et al. 2017", "1611.05431", "Aggregated Residual Transformations for Deep Neural Networks",
          ("ResNeXt",)),
    Paper("Hu et al. 2018", "1709.01507", "Squeeze-and-Excitation Networks",
          ("SENet", "SE-Net", "SE-ResNet", "hu2017")),
    Paper("He et al. 2019", "1812.01187", "Bag of Tricks for Image Classification with Convolutional Neural Networks",
          ("resnet-d", "he2018")),
    Paper("Wightman et al. 2021", "2110.00476", "ResNet strikes back: An improved training procedure in timm",
          ("RSB", "a1")),
    Paper("Bello et al. 2021", "2103.07579", "Revisiting ResNets: Improved Training and Scaling Strategies",
          ("ResNet-RS",)),
    Paper("Liu et al. 2022", "2201.03545", "A ConvNet for the 2020s", ("ConvNeXt",)),
    Paper("Woo et al. 2023", "2301.00808", "ConvNeXt V2: Co-designing and Scaling ConvNets with Masked Autoencoders",
          ("ConvNeXt V2", "convnextv2")),
    Paper("torchvision 0.29", "", "torchvision's table of classification weights", ("torchvision", "tv")),
)  # fmt: skip
"""In the order of figures.csv."""


def paper(name: str) -> Paper:
    """The paper that somebody calls so: he2015, Deep Residual, resnext, wrn, 1512.03385.

    Raises `UserError` where none or several are called so, with their names.
    """
    wanted = _folded(name.lower().removeprefix("arxiv:"))
    texts = {each: [*map(_folded, filter(None, each.names()))] for each in PAPERS}
    called = (
        [each for each in PAPERS if wanted in texts[each]]
        or [each for each in PAPERS if wanted and any(t.startswith(wanted) for t in texts[each])]
        or [each for each in PAPERS if wanted and any(wanted in t for t in texts[each])]
    )
    if len(called) == 1:
        return called[0]
    short = ", ".join(each.names()[1].lower() for each in called or PAPERS)
    guess = "" if called else did_you_mean(name, [n for each in PAPERS for n in each.names() if n])
    what = "several papers are" if called else "no paper is"
    raise UserError(f"{what} called {name[:80]!r}", guess or f"there are: {short}")


def _folded(name: str) -> str:
    """Without what people vary or leave out: he2015 for He et al. 2015."""
    return "".join(filter(str.isalnum, folded(name).replace("etal.", "")))
