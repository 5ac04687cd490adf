"""Rules of the tree itself: one version, listed sources, what the libraries link, live examples."""

from __future__ import annotations

import doctest
import importlib
import importlib.metadata
import pkgutil
import platform
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

import fusegrad
from fusegrad import _core, _tensor

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = [
    Path(_core.__file__),
    Path(_tensor.__file__),
    Path(_core.__file__).with_name("libfusegrad_core.so"),
]
# Not fma and sqrt, which are exact by definition.
LIBM = {
    f"{name}{suffix}"
    for name in (
        "exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "pow", "sin", "cos", "tan", "asin",
        "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "hypot", "erf",
        "erfc", "fmod", "floor", "ceil", "trunc", "rint",
    )
    for suffix in ("", "f")
}  # fmt: skip
# No module though named like one, imported only with an optional package, or run when imported.
NO_DOCTEST = re.compile(r"fusegrad\.(libfusegrad_core|integrations\..*|__main__)")
# What processors without AVX2 cannot run: vector code with wide registers or VEX encoding, whose
# names start with v and which the four others that do are not, and the newer bit manipulation.
NEWER = re.compile(
    r"%[yz]mm|%k[0-7]|\t(?!verr|verw|vmcall|vmmcall)v[a-z]{2}"
    r"|\t(?:andn|bextr|blsi|blsr|bzhi|mulx|pdep|pext|rorx|sarx|shlx|shrx) "
)
PORTABLE = ["fusegrad_kernels_baseline", "fusegrad_core", "_core", "_tensor"]


def public_modules() -> list[str]:
    found = pkgutil.walk_packages(fusegrad.__path__, "fusegrad.")
    return sorted(m.name for m in found if not NO_DOCTEST.fullmatch(m.name))


@pytest.mark.quick
def test_version_has_one_value() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert version == fusegrad.__version__
    assert version == _core.version()
    assert version == importlib.metadata.version("fusegrad")
    assert f"## {version}\n" in (ROOT / "CHANGELOG.md").read_text()


def test_every_source_is_listed() -> None:
    cmake = (ROOT / "csrc" / "CMakeLists.txt").read_text()
    listed = sorted(re.findall(r"^\s+((?:src|bindings)/\S+?\.cpp)\)?$", cmake, re.MULTILINE))
    compiled_per_level = ["src/kernels/gemm_bf16.cpp", "src/kernels/isa.cpp"]
    present = sorted(
        str(path.relative_to(ROOT / "csrc"))
        for folder in ("src", "bindings")
        for path in (ROOT / "csrc" / folder).rglob("*.cpp")
    )
    assert sorted({*listed, *compiled_per_level}) == present
    assert "GLOB" not in cmake


def test_headers_are_included_once() -> None:
    headers = [*(ROOT / "csrc").rglob("*.h")]
    assert headers
    for path in headers:
        assert path.name.endswith("-inl.h") or "#pragma once" in path.read_text(), path


def test_the_core_knows_no_python() -> None:
    for folder in ("include", "src"):
        for path in (ROOT / "csrc" / folder).rglob("*.*"):
            assert "Python.h" not in path.read_text(), path


@pytest.mark.skipif(shutil.which("readelf") is None, reason="needs binutils")
@pytest.mark.parametrize("path", LIBRARIES, ids=lambda path: path.name.split(".")[0])
def test_libraries(path: Path) -> None:
    dynamic = subprocess.check_output(["readelf", "--wide", "-d", path], text=True)
    versions = subprocess.check_output(["readelf", "--wide", "--version-info", path], text=True)
    if path.name != "libfusegrad_core.so":
        assert re.search(r"R(UN)?PATH.*\[\$ORIGIN\]", dynamic)
        assert "[libfusegrad_core.so]" in dynamic
    if _core.build_type() == "Release":
        undefined = subprocess.check_output(["nm", "-D", "--undefined-only", path], text=True)
        called = {name.split("@")[0] for name in undefined.split()}
        assert not called & LIBM, "functions of libm differ in the last bit between versions"
        needed = {tuple(map(int, v.split("."))) for v in re.findall(r"GLIBC_([\d.]+)", versions)}
        assert max(needed) <= (2, 28), "a wheel must run where manylinux_2_28 promises it"


def built_objects() -> dict[str, list[Path]]:
    """Object files of the newest Release build that `pip install` left under build/, by target."""
    builds = list((ROOT / "build").glob("*/Release/csrc/CMakeFiles"))
    if not builds:
        pytest.skip("no object files: build/ has no build of `pip install .`")
    newest = max(builds, key=lambda folder: folder.stat().st_mtime)
    return {
        folder.name.removesuffix(".dir"): sorted(folder.rglob("*.o"))
        for folder in newest.glob("*.dir")
    }


def disassembly(path: Path) -> str:
    command = ["objdump", "--disassemble", "--no-show-raw-insn", path]
    return subprocess.check_output(command, text=True)


@pytest.mark.skipif(shutil.which("nm") is None, reason="needs binutils")
def test_kernels_share_no_code_between_levels() -> None:
    # Of a weak function the linker keeps one level's copy, which another processor may not run.
    kernels = {k: v for k, v in built_objects().items() if k.startswith("fusegrad_kernels_")}
    assert kernels
    for (path,) in kernels.values():
        symbols = subprocess.check_output(["nm", path], text=True)
        assert not re.findall(r"^[0-9a-f ]+ [uVvWw] .*", symbols, re.MULTILINE), path


@pytest.mark.skipif(shutil.which("objdump") is None, reason="needs binutils")
@pytest.mark.skipif(platform.machine() != "x86_64", reason="about instructions of x86-64")
def test_only_kernels_need_newer_processors() -> None:
    objects = built_objects()
    for level in ("avx2", "avx512"):
        assert NEWER.search(disassembly(objects[f"fusegrad_kernels_{level}"][0]))
    portable = [path for target in PORTABLE for path in objects[target]]
    assert "dispatch.cpp.o" in {path.name for path in portable}
    for path in portable:
        assert (found := NEWER.search(disassembly(path))) is None, (path.name, found)


@pytest.mark.parametrize("name", public_modules())
def test_docstring_examples(name: str) -> None:
    module = importlib.import_module(name)
    result = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0


def test_readme_examples(capsys: pytest.CaptureFixture[str]) -> None:
    examples = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(examples) >= 2
    for example in examples:
        exec(compile(example, "README.md", "exec"), {"__name__": "readme"})
    printed = capsys.readouterr().out.splitlines()
    accuracy = float(printed[0].rstrip("]").split(",")[1])
    assert accuracy > 0.9


@pytest.mark.parametrize("path", sorted((ROOT / "docs").glob("*.md")), ids=lambda path: path.stem)
def test_docs_examples(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The Python blocks of a page run in order; where output follows one, it is what it prints."""
    namespace: dict[str, object] = {"__name__": "docs"}
    blocks = re.findall(r"```(\w+)\n(.*?)```", path.read_text(), re.DOTALL)
    for (language, code), (following, output) in zip(blocks, [*blocks[1:], ("", "")], strict=False):
        if language == "python":
            exec(compile(code, path.name, "exec"), namespace)
            printed = capsys.readouterr().out
            if following == "text":
                assert printed == output
