"""Whether a file's tensors fill a network, and which of them goes where; why not, in words."""

from __future__ import annotations

from resnet_cli.checkpoints.identify.differences import in_words, sure_of
from resnet_cli.checkpoints.identify.infer import number_of_classes
from resnet_cli.checkpoints.identify.recognise import Named
from resnet_cli.checkpoints.identify.schemes import HEADS
from resnet_cli.designs import zoo
from resnet_cli.errors import UserError


def fitting(path: str, file: Named, spec: zoo.Spec, backbone_only: bool) -> dict[str, str]:
    """Our name -> the file's, for every tensor of the network, or of all but its classifier.

    Counters of batches may be missing. Raises `UserError` (exit 1) that says which tensor does not
    fit, by which shapes, and which option helps.
    """
    if file.norm not in ("whole", "none"):
        raise UserError(
            f"{path!r} has its batch norm {FOLDED[file.norm]}, so it fills no network with batch norm",
            "give weights as they were trained",
            1,
        )
    differences = file.differences(spec)
    inside = [d for d in differences if d.name.rpartition(".")[0] not in HEADS]
    if sure_of(differences) == "nearest":
        raise UserError(
            f"{path!r} does not fit {spec.name}: {in_words(inside)[0]}",
            "resnet-cli identify FILE names its network, --against MODEL lists what differs",
            1,
        )
    head = [d for d in differences if d.network is not None]
    if head and not backbone_only:
        classes = number_of_classes(file.shapes)
        classes = None if classes == spec.num_classes else classes
        option = f"--num-classes {classes} takes the file's classes; " if classes else ""
        raise UserError(
            f"{path!r} has another classifier than {spec.name}: {in_words(head)[0]}",
            f"{option}--backbone-only loads all but the classifier, which starts anew",
            1,
        )
    names = {ours: theirs for theirs, ours in file.naming.names.items()}
    dropped = {d.name for d in differences}
    if backbone_only:
        dropped |= {name for name in names if name.rpartition(".")[0] in HEADS}
    return {ours: theirs for ours, theirs in names.items() if ours not in dropped}


FOLDED = {
    "folded": "folded into the convolutions",
    "no statistics": "without running statistics",
}
