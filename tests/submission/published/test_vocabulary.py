"""Vocabulary: kinds, families and formats, from the words that submitters use."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.submission.published import (
    PROCESSOR_KINDS,
    framework_family,
    precision_of,
    processor_kind,
)


@pytest.mark.parametrize(
    ("accelerator", "kind"),
    [
        ("Nvidia Tesla T4", "GPU"),
        ("NVIDIA TITAN RTX", "GPU"),
        ("Jetson AGX Xavier", "GPU"),
        ("Arm Mali-G72 MP12", "GPU"),
        ("Intel® UHD Graphics", "GPU"),
        ("NVIDIA A100-SXM4-80GB", "GPU"),
        ("NVIDIA H200-SXM-141GB", "GPU"),
        ("AMD Instinct MI300X", "GPU"),
        ("GPUAcc", "GPU"),
        ("cuda", "GPU"),
        ("HanGuang 800", "ASIC"),
        ("Goya", "ASIC"),
        ("TPUv3-8", "ASIC"),
        ("Google TPU v3", "ASIC"),
        ("Hailo-8", "ASIC"),
        ("Intel® Nervana™ Neural Network Processor", "ASIC"),
        ("Centaur Integrated AI Coprocessor", "ASIC"),
        ("Qualcomm Cloud AI 100", "ASIC"),
        ("Qualcomm Hexagon 690 Processor: Hexagon Vector Accelerator (HVX)", "DSP"),
        ("Xilinx Alveo U200 with some NPU", "FPGA"),
        ("FuriosaAI NPU on an FPGA board", "FPGA"),
        ("Intel Stratix 10", "FPGA"),
        ("Arm Cortex-A72", "CPU"),
        ("Wonder Chip", "unknown"),
        ("Nonsensegpuish", "unknown"),
    ],
)
def test_the_accelerator_decides(accelerator: str, kind: str) -> None:
    assert processor_kind(accelerator, 1, "Intel Xeon") == kind
    assert processor_kind(accelerator, None, None) == kind


def test_without_an_accelerator_it_is_the_hosts_cpu() -> None:
    assert processor_kind(None, 0, "Intel Xeon") == "CPU"
    assert processor_kind("NVIDIA T4", 0, "Intel Xeon") == "CPU"
    assert processor_kind(None, None, None) == "unknown"


@pytest.mark.parametrize(
    ("framework", "family"),
    [
        ("TensorFlow 1.13.1 6612da89516247503f03ef76e974b51a434fb52e", "TensorFlow"),
        ("TensorRT 6.0, CUDA 10.1", "TensorRT"),
        ("TFLite v1.15.0-rc2", "TensorFlow Lite"),
        ("ArmNN v19.08 (OpenCL)", "Arm NN"),
        ("OpenVino", "OpenVINO"),
        ("ONNX", "ONNX"),
        ("ONNX Runtime 1.2", "ONNX Runtime"),
        ("onnxruntime", "ONNX Runtime"),
        ("PyTorch", "PyTorch"),
        ("Synapse-V0.2.0", "Synapse"),
        ("Snapdragon Neural Processing Engine v1.30", "SNPE"),
        ("Hailo SDK v1.2", "Hailo SDK"),
        ("my own kernels", "other"),
        (None, "unknown"),
    ],
)
def test_families_of_frameworks(framework: str | None, family: str) -> None:
    assert framework_family(framework) == family


@pytest.mark.parametrize(
    ("written", "precision"),
    [
        ("int8", "int8"),
        ("INT8", "int8"),
        ("uint8", "uint8"),
        ("int8,fp16", "int8+fp16"),
        ("fp16 and int8", "int8+fp16"),
        ("bfloat16", "bfloat16"),
        ("BF16", "bfloat16"),
        ("float32", "fp32"),
        ("We transform the original fp32 weight to int8 weight.", "int8"),
        ("fp32 converted to the format of our chip", "fp32"),
        ("No change.", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_number_formats(written: str | None, precision: str) -> None:
    assert precision_of(written) == precision


def test_unchanged_weights_are_what_they_were() -> None:
    start = "https://zenodo.org/record/3401714/files/ssd_mobilenet_v1_quant_ft_no_zero_point.pb"
    assert precision_of("No change.", start) == "int8"
    assert precision_of("No change.", "resnet50_v1.pb") == "unknown"
    assert precision_of("something", start) == "unknown"


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_text_has_a_meaning(first: str, second: str) -> None:
    assert processor_kind(first, 1, second) in PROCESSOR_KINDS
    assert framework_family(first)
    assert precision_of(first, second)
