"""What contributors and .ci/run call: `nox -s NAME`, or `nox --list`.

Each session has its own environment. `nox --no-venv --no-install -s NAME` runs it in the current
one instead, which must then have the package and the `dev` extra.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import nox

nox.needs_version = ">=2024.10"
nox.options.sessions = ["lint", "types", "tests"]
nox.options.reuse_existing_virtualenvs = True

ROOT = Path(__file__).parent
EXTRAS: dict[str, list[str]] = nox.project.load_toml("pyproject.toml")["project"][
    "optional-dependencies"
]
CROSS_COMPILER = "aarch64-linux-gnu-g++"
WHEEL_LIMIT = 3_000_000  # bytes
EMULATOR = "qemu-aarch64"
SANITIZED = "build/sanitize"
ASAN_OPTIONS = (
    "detect_leaks=0:strict_init_order=1:detect_stack_use_after_return=1:"
    "allocator_may_return_null=1:use_sigaltstack=0"
)


def tool(*names: str) -> list[str]:
    """Return the requirements of the `dev` extra for these tools, with their versions."""
    lines = [line for line in EXTRAS["dev"] if line.startswith(names)]
    assert len(lines) == len(names), f"the dev extra lacks one of {names}"
    return lines


def cpp_files() -> list[str]:
    """Return our C++ files, relative to the root."""
    paths = [
        path
        for folder in (ROOT / "csrc", ROOT / "tests" / "cpp")
        for ending in ("h", "cpp")
        for path in folder.rglob(f"*.{ending}")
    ]
    return sorted(str(path.relative_to(ROOT)) for path in paths)


def cython_files() -> list[str]:
    """Return our Cython files, relative to the root."""
    paths = [
        path for ending in ("pyx", "pxd", "pxi") for path in (ROOT / "python").rglob(f"*.{ending}")
    ]
    return sorted(str(path.relative_to(ROOT)) for path in paths)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the test suite; arguments after -- go to pytest."""
    session.install(".[test]")
    session.run("pytest", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check formatting and style of Python, Cython and C++."""
    session.install(*tool("ruff", "clang-format", "cython-lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("clang-format", "--dry-run", "-Werror", *cpp_files())
    session.run("cython-lint", *cython_files())


@nox.session(name="format")
def format_(session: nox.Session) -> None:
    """Format Python and C++ in place."""
    session.install(*tool("ruff", "clang-format"))
    session.run("ruff", "check", "--fix", "--exit-zero", ".")
    session.run("ruff", "format", ".")
    session.run("clang-format", "-i", *cpp_files())


@nox.session
def types(session: nox.Session) -> None:
    """Run mypy in strict mode, and compare the stubs with the compiled modules."""
    session.install(".[plot,test]", *tool("mypy", "types-tqdm"))
    session.run("mypy")
    command = ["python", "-m", "mypy.stubtest", "--mypy-config-file", "pyproject.toml"]
    allowlist = ROOT / "tests" / "stubtest_allow.txt"
    if allowlist.is_file():
        command += ["--allowlist", str(allowlist)]
    session.run(*command, "fusegrad._core", "fusegrad._tensor")


@nox.session
def cpp(session: nox.Session) -> None:
    """Build the C++ alone, optimised, with warnings as errors, and run its tests."""
    session.install("cmake", "ninja")
    session.run("cmake", "--workflow", "--preset", "release")


@nox.session
def sanitize(session: nox.Session) -> None:
    """Run the C++ tests and the tests marked `quick` under ASan and UBSan, in a Debug build."""
    session.install("cmake")
    session.install(
        ".[test]",
        *("-C", "cmake.build-type=Debug", "-C", f"build-dir={SANITIZED}"),
        *("-C", "cmake.define.FUSEGRAD_SANITIZE=address,undefined"),
        *("-C", "cmake.define.FUSEGRAD_TESTS=ON", "-C", "cmake.define.FUSEGRAD_WERROR=ON"),
        *("-C", "install.strip=false"),
    )
    session.run("ctest", "--test-dir", SANITIZED, "--output-on-failure")
    libraries = [
        subprocess.check_output(["gcc", f"-print-file-name={name}"], text=True).strip()
        for name in ("libasan.so", "libubsan.so", "libstdc++.so")
    ]
    session.run(
        *("python", "-m", "pytest", "-p", "no:xdist", "-p", "no:cacheprovider", "-s"),
        *(session.posargs or ["-m", "quick"]),
        env={
            "LD_PRELOAD": " ".join(libraries),
            "PYTHONMALLOC": "malloc",
            "ASAN_OPTIONS": ASAN_OPTIONS,
            "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
        },
    )


@nox.session
def bench(session: nox.Session) -> None:
    """Run the benchmarks; arguments after -- go to pytest."""
    session.install(".[test]")
    session.run("pytest", "benchmarks", *session.posargs)


@nox.session
def peers(session: nox.Session) -> None:
    """Run the tests that compare with other frameworks (downloads about 2 GB)."""
    session.install(".[test,peers]")
    session.run("pytest", "-m", "peers", *session.posargs)


@nox.session
def neon(session: nox.Session) -> None:
    """Cross-compile the core, with its NEON level, for aarch64; run its tests in an emulator."""
    if shutil.which(CROSS_COMPILER) is None:
        session.skip(f"{CROSS_COMPILER} is missing: Debian's package g++-aarch64-linux-gnu")
    session.install("cmake", "ninja")
    session.run("cmake", "--workflow", "--preset", "neon")
    if shutil.which(EMULATOR) is None:
        session.warn(f"{EMULATOR} is missing (Debian's package qemu-user): its tests are not run")
    else:
        session.run("ctest", "--preset", "neon")


@nox.session
def wheel(session: nox.Session) -> None:
    """Build a wheel, say which manylinux policy it meets, and hold it to its size."""
    session.install("build", "auditwheel")
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    session.run("python", "-m", "build", "--wheel")
    for path in sorted((ROOT / "dist").glob("*.whl")):
        session.run("auditwheel", "show", str(path))
        size = path.stat().st_size
        session.log(f"{path.name}: {size / 1e6:.2f} MB")
        if size > WHEEL_LIMIT:
            session.error(f"the wheel is larger than {WHEEL_LIMIT / 1e6:.0f} MB")
