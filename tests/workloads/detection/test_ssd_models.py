"""The SSD architectures: published sizes, names and outputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from inferometer.workloads.detection.boxes import decode_boxes

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")


def test_ssd_mobilenet_has_the_published_size() -> None:
    from inferometer.workloads.models.ssd_mobilenet_v1 import SsdMobileNetV1

    model = SsdMobileNetV1()
    assert model.grids == (19, 10, 5, 3, 2, 1)
    assert model.anchors.shape == (1917, 4)
    # MobileNet-v1 without its classifier, extra blocks, heads of 3 and 6 anchors.
    backbone = 4_233_001 - 1_026_025
    blocks = ((1024, 256, 512), (512, 128, 256), (256, 128, 256), (256, 64, 128))
    extras = sum(i * n + n + 9 * n * o + o for i, n, o in blocks)
    maps = ((512, 3), (1024, 6), (512, 6), (256, 6), (256, 6), (128, 6))
    heads = sum((inputs + 1) * anchors * (4 + 91) for inputs, anchors in maps)
    assert sum(p.numel() for p in model.parameters()) == backbone + extras + heads
    assert "anchors" not in model.state_dict()


def test_ssd_mobilenet_names_match_the_published_ones() -> None:
    from inferometer.workloads.models.ssd_mobilenet_v1 import SsdMobileNetV1

    names = SsdMobileNetV1(width=0.25).state_dict().keys()
    for k in range(4):
        for slot in (0, 2):
            assert {f"extras.{k}.{slot}.weight", f"extras.{k}.{slot}.bias"} <= names
    for k in range(6):
        for head in ("classification", "regression"):
            assert {f"predictors.{k}.{head}.weight", f"predictors.{k}.{head}.bias"} <= names
    assert {f"backbone.{layer}.conv.weight" for layer in range(27)} <= names


@pytest.mark.slow
def test_ssd_mobilenet_gives_boxes_and_scores_of_its_codes() -> None:
    from inferometer.workloads.models.ssd_mobilenet_v1 import FromBytes, SsdMobileNetV1

    torch.manual_seed(1)
    model = SsdMobileNetV1(width=0.25).eval()
    pixels = torch.randint(0, 256, (1, 300, 300, 3), dtype=torch.uint8)
    scaled = pixels.permute(0, 3, 1, 2).float() * (2 / 255) - 1
    with torch.no_grad():
        codes, logits = model.codes(scaled)
        boxes, scores = model(scaled)
        from_bytes = FromBytes(model)(pixels)
    assert boxes.shape == (1, 1917, 4)
    assert scores.shape == (1, 1917, 90), "the background is gone"
    expected = decode_boxes(codes.numpy(), model.anchors.numpy())
    assert boxes.numpy() == pytest.approx(expected, abs=1e-5)
    assert torch.equal(scores, torch.sigmoid(logits[..., 1:]))
    assert torch.equal(from_bytes[0], boxes)


def test_ssd_mobilenet_heads_are_in_the_order_of_the_anchors() -> None:
    from inferometer.workloads.models.ssd_mobilenet_v1 import AnchorScales, SsdMobileNetV1

    model: Any = SsdMobileNetV1(
        classes=2, width=0.25, in_channels=1, size_px=64, extras=(), scales=AnchorScales()
    ).eval()
    head = model.predictors[0].regression
    with torch.no_grad():
        head.weight.zero_()
        head.bias.copy_(torch.arange(12.0))
        codes, _ = model.codes(torch.zeros(1, 1, 64, 64))
    cells = model.grids[0] ** 2
    assert torch.equal(
        codes[0, : 3 * cells].reshape(cells, 12), torch.arange(12.0).expand(cells, 12)
    )


def test_ssd_resnet34_has_the_published_size_and_names() -> None:
    from inferometer.workloads.models.ssd_resnet34 import SsdResNet34

    model: Any = SsdResNet34()
    state = model.state_dict()
    assert model.grids == (50, 25, 13, 7, 3, 3)
    assert model.default_boxes.shape == (15_130, 4)
    parameters = dict(model.named_parameters())
    assert len(state) == 218
    assert sum(p.numel() for p in parameters.values()) == 19_972_534
    assert sum(t.numel() for name, t in state.items() if name not in parameters) == 9_885
    expected = {
        "model.layer1.0.weight": (64, 3, 7, 7),
        "model.layer1.1.running_mean": (64,),
        "model.layer1.4.2.conv2.weight": (64, 64, 3, 3),
        "model.layer1.5.0.downsample.0.weight": (128, 64, 1, 1),
        "model.layer1.5.3.bn2.num_batches_tracked": (),
        "model.layer2.0.0.downsample.1.weight": (256,),
        "model.layer2.0.5.conv1.weight": (256, 256, 3, 3),
        "additional_blocks.0.0.weight": (256, 256, 1, 1),
        "additional_blocks.1.2.weight": (512, 256, 3, 3),
        "additional_blocks.4.2.bias": (256,),
        "loc.0.weight": (16, 256, 3, 3),
        "loc.1.weight": (24, 512, 3, 3),
        "conf.1.bias": (486,),
        "conf.5.weight": (324, 256, 3, 3),
    }
    assert {name: tuple(state[name].shape) for name in expected} == expected
    assert model.model.layer2[0][0].conv1.stride == (1, 1)
    assert {head.stride for head in (*model.loc, *model.conf)} == {(3, 3)}


def test_ssd_resnet_gives_boxes_and_scores_of_its_codes() -> None:
    from inferometer.workloads.models.ssd_resnet34 import SsdMap, SsdResNet34

    torch.manual_seed(1)
    maps = (SsdMap(40, (2,)), SsdMap(80, (2, 3), 8, 16, 2, 1))
    model = SsdResNet34(
        classes=4, width=0.25, in_channels=1, size_px=120, maps=maps, largest_px=120, head_stride=2
    ).eval()
    assert model.grids == (8, 4)
    picture = torch.randn(2, 1, 120, 120)
    with torch.no_grad():
        codes, logits = model.codes(picture)
        boxes, scores = model(picture)
    assert boxes.shape == (2, 4 * 64 + 6 * 16, 4)
    assert scores.shape == (2, 4 * 64 + 6 * 16, 5)
    expected = decode_boxes(codes.numpy(), model.default_boxes.numpy())
    assert boxes.numpy() == pytest.approx(expected, abs=1e-5)
    assert scores.sum(-1).numpy() == pytest.approx(np.ones((2, 352)), abs=1e-5)
    assert torch.equal(scores, torch.softmax(logits, -1))


def test_ssd_resnet_heads_are_in_the_order_of_the_default_boxes() -> None:
    from inferometer.workloads.models.ssd_resnet34 import SsdMap, SsdResNet34

    maps = (SsdMap(40, (2,)),)
    model: Any = SsdResNet34(
        classes=2, width=0.25, in_channels=1, size_px=96, maps=maps, largest_px=90
    ).eval()
    with torch.no_grad():
        model.loc[0].weight.zero_()
        model.loc[0].bias.copy_(torch.arange(16.0))
        codes, _ = model.codes(torch.zeros(1, 1, 96, 96))
    cells = model.grids[0] ** 2
    by_box = codes[0].reshape(4, cells, 4)
    for box in range(4):
        expected = torch.tensor([0.0, 4.0, 8.0, 12.0]) + box
        assert torch.equal(by_box[box], expected.expand(cells, 4)), "coordinate, then box"
