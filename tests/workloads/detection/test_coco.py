"""COCO data: order, images without boxes, errors, and the copy at a fixed size."""

from __future__ import annotations

import copy
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from inferometer.workloads.detection.coco import read_coco, upscale
from inferometer.workloads.images.decode import opencv
from inferometer.workloads.protocol import WorkloadError
from tests.workloads.images.photos import photo

pytest.importorskip("cv2")

SIZES = {9: (30, 40), 4: (50, 20), 7: (24, 24), 2: (60, 90)}
"""Height and width by image id, in the order of the file; 7 has no boxes."""

CONTENT: dict[str, Any] = {
    "info": {"year": 2017},
    "images": [
        {"id": number, "file_name": f"{number:012d}.jpg", "height": size[0], "width": size[1]}
        for number, size in SIZES.items()
    ],
    "annotations": [
        {
            "id": 1,
            "image_id": 2,
            "category_id": 3,
            "bbox": [9.0, 6.0, 45.0, 30.0],
            "area": 900.0,
            "iscrowd": 0,
            "segmentation": [[9.0, 6.0, 54.0, 6.0, 54.0, 36.0]],
        },
        {"id": 2, "image_id": 9, "category_id": 1, "bbox": [4, 3, 8, 6], "iscrowd": 0},
        {
            "id": 3,
            "image_id": 4,
            "category_id": 1,
            "bbox": [0, 0, 20, 50],
            "area": 800.0,
            "iscrowd": 1,
            "segmentation": {"counts": [0, 1000], "size": [50, 20]},
        },
    ],
    "categories": [{"id": 3, "name": "car"}, {"id": 1, "name": "person"}],
}


def layout(root: Path, content: Any = CONTENT, suffix: str = "jpg") -> Path:
    (root / "annotations").mkdir(parents=True)
    (root / "val2017").mkdir()
    (root / "annotations/instances_val2017.json").write_text(json.dumps(content))
    for number, (height, width) in SIZES.items():
        path = root / "val2017" / f"{number:012d}.{suffix}"
        opencv().imwrite(str(path), photo(height, width))
    return root


def changed(*keys: str | int, value: Any) -> Any:
    content = copy.deepcopy(CONTENT)
    place: Any = content
    for key in keys[:-1]:
        place = place[key]
    if value is None:
        del place[keys[-1]]
    else:
        place[keys[-1]] = value
    return content


def test_the_order_is_that_of_the_file(tmp_path: Path) -> None:
    found = read_coco(layout(tmp_path))
    assert [int(path.stem) for path in found.paths] == [9, 4, 7, 2]
    assert found.ground_truth.image_ids.tolist() == [9, 4, 7, 2]
    assert found.ground_truth.heights.tolist() == [30, 50, 24, 60]
    assert found.category_names == {1: "person", 3: "car"}
    assert found.total == 4
    content = (tmp_path / "annotations/instances_val2017.json").read_bytes()
    assert found.annotations_sha256 == hashlib.sha256(content).hexdigest()


def test_images_without_boxes_may_be_left_out(tmp_path: Path) -> None:
    layout(tmp_path)
    (tmp_path / "val2017/000000000007.jpg").unlink()
    found = read_coco(tmp_path, only_annotated=True)
    assert [int(path.stem) for path in found.paths] == [9, 4, 2]
    assert found.ground_truth.image_ids.tolist() == [9, 4, 2]
    assert found.total == 3


def test_count_takes_the_first_and_their_boxes(tmp_path: Path) -> None:
    found = read_coco(layout(tmp_path), 2)
    assert [int(path.stem) for path in found.paths] == [9, 4]
    assert found.ground_truth.image_ids.tolist() == [9, 4]
    assert found.ground_truth.box_image_ids.tolist() == [9, 4]
    assert found.total == 4
    few = read_coco(tmp_path, 3, only_annotated=True)
    assert few.ground_truth.image_ids.tolist() == [9, 4, 2]
    with pytest.raises(WorkloadError, match="lists 4 images, and 5 were asked for"):
        read_coco(tmp_path, 5)


def test_files_of_ones_own(tmp_path: Path) -> None:
    layout(tmp_path / "a")
    (tmp_path / "a/val2017").rename(tmp_path / "photos")
    (tmp_path / "a/annotations/instances_val2017.json").rename(tmp_path / "boxes.json")
    found = read_coco(tmp_path, annotations=Path("boxes.json"), images=tmp_path / "photos")
    assert all(path.is_file() for path in found.paths)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "holds no JSON object"),
        (changed("images", value=None), "there is no list 'images'"),
        (changed("images", 1, "id", value=9), "each with an id of its own"),
        (changed("images", 1, "width", value=None), r"images\[1\] is not as COCO has it"),
        (changed("images", 1, "file_name", value=None), "image 4 has no file_name"),
        (changed("annotations", 1, "bbox", value=[1, 2]), r"annotations\[1\] is not as COCO"),
        (changed("annotations", 2, "image_id", value=77), r"annotations\[2\] has image_id 77"),
        (changed("annotations", 0, "category_id", value=5), "category_id 5, which is not among"),
        (changed("images", 1, "file_name", value="no.jpg"), r"1 of the 4 .*val2017/no\.jpg"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, content: Any, message: str) -> None:
    layout(tmp_path, content)
    with pytest.raises(WorkloadError, match=rf"instances_val2017\.json: .*{message}"):
        read_coco(tmp_path)


def test_missing_and_cut_annotations(tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match=r"can't be read .*; COCO's annotations lie at"):
        read_coco(tmp_path)
    layout(tmp_path)
    path = tmp_path / "annotations/instances_val2017.json"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(WorkloadError, match=r"no whole JSON file .*line 1 column"):
        read_coco(tmp_path)


def test_the_copy_at_a_fixed_size(tmp_path: Path) -> None:
    cv2 = opencv()
    source = layout(tmp_path / "source")
    grey = source / "val2017/000000000007.jpg"
    cv2.imwrite(str(grey), photo(24, 24)[..., 0])
    told: list[tuple[int, int]] = []
    written = upscale(source, 48, tmp_path / "copy", progress=lambda *done: told.append(done))
    assert written == tmp_path / "copy/annotations/instances_val2017.json"
    assert told[-1] == (4, 4)
    before, after = read_coco(source), read_coco(tmp_path / "copy")
    assert [path.suffix for path in after.paths] == [".png"] * 4
    for old, new in zip(before.paths, after.paths, strict=True):
        wanted = cv2.resize(cv2.imread(str(old)), (48, 48), interpolation=cv2.INTER_LINEAR)
        assert (cv2.imread(str(new), cv2.IMREAD_UNCHANGED) == wanted).all(), old.name
    truth = after.ground_truth
    assert truth.image_ids.tolist() == before.ground_truth.image_ids.tolist()
    assert set(truth.heights.tolist() + truth.widths.tolist()) == {48}
    boxes = [[4.8, 4.8, 24, 24], [4.8, 4.8, 9.6, 9.6], [0, 0, 48, 48]]
    assert truth.boxes.tolist() == [pytest.approx(box) for box in boxes]
    assert truth.areas.tolist() == pytest.approx([384, 92.16, 1843.2])
    entries = json.loads(written.read_text())["annotations"]
    assert entries[0]["segmentation"] == [pytest.approx([4.8, 4.8, 28.8, 4.8, 28.8, 28.8])]
    assert "area" not in entries[1]
    assert "segmentation" not in entries[2], "run lengths don't scale"


def test_a_copy_without_all_images_has_no_annotations(tmp_path: Path) -> None:
    source = layout(tmp_path / "source")
    (source / "val2017/000000000004.jpg").write_bytes(b"no image")
    with pytest.raises(WorkloadError, match=r"000000000004\.jpg: this is no image"):
        upscale(source, 48, tmp_path / "copy")
    assert not (tmp_path / "copy/annotations").exists()


def test_places_that_a_copy_cannot_take(tmp_path: Path) -> None:
    source = layout(tmp_path / "source")
    with pytest.raises(WorkloadError, match="a folder of its own"):
        upscale(source, 48, source)
    twice = layout(tmp_path / "twice", changed("images", 1, "file_name", value="000000000009.png"))
    opencv().imwrite(str(twice / "val2017/000000000009.png"), photo(50, 20))
    with pytest.raises(WorkloadError, match="two images differ only in their suffix"):
        upscale(twice, 48, tmp_path / "copy")
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkloadError, match="can't be written"):
        upscale(source, 48, tmp_path / "file")
