"""Classification architectures: published sizes, whatever the picture and the member."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

from inferometer.workloads.models.mobilenet_v1 import MobileNetV1  # noqa: E402
from inferometer.workloads.models.resnet50 import ResNet  # noqa: E402

pytestmark = pytest.mark.torch


def parameters(model: Any) -> int:
    return sum(p.numel() for p in model.parameters())


def test_mobilenet_has_the_published_size() -> None:
    model = MobileNetV1()
    assert parameters(model) == 4_233_001
    with_statistics = sum(t.numel() for t in model.state_dict().values() if t.ndim)
    assert with_statistics == 4_254_889
    with pytest.raises(ValueError, match="MobileNet-v1 has 13"):
        MobileNetV1(strides=[1, 2])


@pytest.mark.parametrize("size", [224, 225, 28])
def test_same_padding_keeps_the_published_sizes(size: int) -> None:
    model = MobileNetV1(width=0.25, classes=3).eval()
    with torch.no_grad():
        assert model(torch.zeros(1, 3, size, size)).shape == (1, 3)
        assert model.features(torch.zeros(1, 3, size, size)).shape[-1] == -(-size // 32)


@pytest.mark.parametrize(("classes", "count"), [(1000, 25_557_032), (1001, 25_559_081)])
def test_resnet50_has_the_published_size(classes: int, count: int) -> None:
    with torch.device("meta"):
        model = ResNet(classes=classes)
    assert parameters(model) == count
    convolutions = [m for m in model.modules() if isinstance(m, torch.nn.Conv2d)]
    assert len(convolutions) == 53


def test_resnet50_has_torchvisions_names() -> None:
    with torch.device("meta"):
        names = list(ResNet(classes=1000).state_dict())
    assert names[:2] == ["conv1.weight", "bn1.weight"]
    assert names[-2:] == ["fc.weight", "fc.bias"]
    assert "layer4.2.conv3.weight" in names
    assert "layer1.0.downsample.1.running_var" in names
    assert not any("layer1.1.downsample" in name for name in names)
    assert len(names) == 53 + 53 * 5 + 2


@pytest.mark.parametrize("padding", [pytest.param("tf", marks=pytest.mark.slow), "torch"])
def test_resnet50_stages_have_the_published_sizes(padding: Any) -> None:
    with torch.device("meta"):
        model = ResNet(pool_padding=padding)
        sizes = []
        for stage in ("maxpool", "layer1", "layer2", "layer3", "layer4"):
            model.get_submodule(stage).register_forward_hook(
                lambda _, __, output: sizes.append(tuple(output.shape[1:]))
            )
        assert model(torch.zeros(2, 3, 224, 224)).shape == (2, 1001)
    wanted = [(64, 56), (256, 56), (512, 28), (1024, 14), (2048, 7)]
    assert sizes == [(channels, side, side) for channels, side in wanted]


def test_the_stride_sits_in_the_3x3_convolution() -> None:
    with torch.device("meta"):
        model = ResNet()
    strided = [
        name
        for name, part in model.named_modules()
        if isinstance(part, torch.nn.Conv2d) and part.stride == (2, 2)
    ]
    expected = [f"layer{n}.0.{leaf}" for n in (2, 3, 4) for leaf in ("conv2", "downsample.0")]
    assert strided == ["conv1", *expected]


def test_the_two_max_pools_look_at_other_windows() -> None:
    picture = torch.arange(16.0).reshape(1, 1, 4, 4)
    pools = {kind: ResNet(width=1, pool_padding=kind).maxpool for kind in ("tf", "torch")}
    assert pools["tf"](picture).flatten().tolist() == [10.0, 11.0, 14.0, 15.0]
    assert pools["torch"](picture).flatten().tolist() == [5.0, 7.0, 13.0, 15.0]


def test_a_small_member_keeps_small_pictures_large() -> None:
    model = ResNet(classes=10, width=16, blocks=(1, 2, 2), in_channels=1, stem="small").eval()
    assert parameters(model) == 215_546
    with torch.no_grad():
        assert model(torch.zeros(2, 1, 28, 28)).shape == (2, 10)
    for blocks in ((), (1, 0)):
        with pytest.raises(ValueError, match="every stage needs one block"):
            ResNet(blocks=blocks)
