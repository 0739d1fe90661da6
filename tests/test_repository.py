"""Habits of the repository: public names, layers, no traces of a machine."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import subprocess
from pathlib import Path

import pytest

import inferometer
from tests.support import ROOT

SOURCES = sorted((ROOT / "src").rglob("*.py"))
PACKAGES = sorted(
    {
        "inferometer",
        *(
            module.name
            for module in pkgutil.walk_packages(inferometer.__path__, "inferometer.")
            if module.ispkg and not module.name.endswith(".models")
        ),
    }
)


def test_there_are_packages_to_look_at() -> None:
    assert "inferometer.loadgen" in PACKAGES


@pytest.mark.parametrize("name", PACKAGES)
def test_public_names_are_sorted_and_exist(name: str) -> None:
    package = importlib.import_module(name)
    names = getattr(package, "__all__", [])
    assert names == sorted(names, key=_isort_key)
    for public in names:
        assert getattr(package, public) is not None, public


def _isort_key(name: str) -> tuple[int, str]:
    """Order constants, then classes, then functions, as the linter does."""
    rank = 0 if name.isupper() else 1 if name[0].isupper() else 2
    return rank, name


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_every_module_says_what_it_is_and_what_is_public(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), path
    if path.name in ("__init__.py",):
        return
    assigned = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    assert "__all__" in assigned, path


def test_public_things_are_documented() -> None:
    missing = []
    for name in PACKAGES:
        package = importlib.import_module(name)
        for public in getattr(package, "__all__", []):
            value = getattr(package, public)
            if callable(value) and not value.__doc__:
                missing.append(f"{name}.{public}")
    assert missing == []


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).exists()]


def test_no_file_names_a_machine_or_a_registry() -> None:
    words = ["/ro" + "ot/", "/wo" + "rk/", "py" + "pi.org", "python" + "hosted", "debian" + ".org"]
    pattern = re.compile("|".join(map(re.escape, words)))
    found = []
    for path in tracked_files():
        if path.suffix in (".gz", ".onnx", ".png"):
            continue
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), start=1):
            if pattern.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert found == []


def test_readme_commands_exist() -> None:
    readme = (ROOT / "README.md").read_text()
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"make ([a-z-]+)", readme)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"make {target}"
