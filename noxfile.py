"""What contributors and .ci/run call: `nox -s NAME`, or `nox --list`.

Each session has its own environment. `nox --no-venv --no-install -s NAME` runs it in the current
one instead, which must then have the package and the `dev` extra.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nox

nox.needs_version = ">=2024.10"
nox.options.sessions = ["lint", "types", "tests"]
nox.options.reuse_existing_virtualenvs = True

ROOT = Path(__file__).parent
EXTRAS: dict[str, list[str]] = nox.project.load_toml("pyproject.toml")["project"][
    "optional-dependencies"
]
PYTHONS = ("3.11", "3.12", "3.13")
CROSS_COMPILER = "aarch64-linux-gnu-g++"
EMULATOR = "qemu-aarch64"
WHEEL_LIMIT = 3_000_000  # bytes
WHEEL_GLIBC = (2, 28)  # the newest manylinux policy that a wheel may need
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
        for folder in (ROOT / "csrc", ROOT / "tests" / "cpp", ROOT / "examples")
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


def readme_commands() -> list[str]:
    """Return the commands by which README.md installs, shows and tests the package."""
    commands = re.findall(r"^```sh\n(pip install .+)\n```$", (ROOT / "README.md").read_text(), re.M)
    assert len(commands) == 2, "README.md says something else"
    return commands


def candidates(version: str) -> Iterator[Path]:
    """Return where a Python of this version may be: on PATH, and where pyenv keeps its own."""
    for folder in os.get_exec_path():
        yield Path(folder) / f"python{version}"
    roots = [Path.home() / ".pyenv"]
    if "PYENV_ROOT" in os.environ:
        roots.insert(0, Path(os.environ["PYENV_ROOT"]))
    if shutil.which("pyenv") is not None:
        roots.insert(0, Path(subprocess.check_output(["pyenv", "root"], text=True).strip()))
    for root in roots:
        yield from sorted(root.glob(f"versions/{version}.*/bin/python{version}"))


def find_python(version: str) -> str | None:
    """Return a CPython of this version that can build the package, or None."""
    # Asked rather than trusted: pyenv puts scripts on PATH that only say that they are not in use.
    question = (
        "import ensurepip, pathlib, sys, sysconfig, venv;"
        "assert sys.implementation.name == 'cpython';"
        f"assert '%d.%d' % sys.version_info[:2] == '{version}';"
        "assert pathlib.Path(sysconfig.get_path('include'), 'Python.h').is_file()"
    )
    for path in candidates(version):
        if os.access(path, os.X_OK):
            command = [str(path), "-I", "-c", question]
            if subprocess.run(command, capture_output=True, check=False).returncode == 0:
                return str(path)
    return None


@nox.session
def tests(session: nox.Session) -> None:
    """Run the test suite; arguments after -- go to pytest."""
    session.install(".[test]")
    session.run("pytest", *session.posargs)


@nox.session(venv_backend="none")
@nox.parametrize("version", PYTHONS, ids=PYTHONS)
def pythons(session: nox.Session, version: str) -> None:
    """Run the commands of README.md in a fresh environment of each CPython of this machine."""
    python = find_python(version)
    if python is None:
        session.skip(f"CPython {version}, with its headers, is neither on PATH nor in pyenv")
    with tempfile.TemporaryDirectory() as folder:
        session.run(python, "-m", "venv", folder)
        path = os.pathsep.join([f"{folder}/bin", *os.get_exec_path()])
        env = {"PATH": path, "VIRTUAL_ENV": folder, "PYTHONPATH": None, "PYTHONHOME": None}
        for command in readme_commands():
            session.run("bash", "-euo", "pipefail", "-c", command, env=env)


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
def compare(session: nox.Session) -> None:
    """Run fusegrad beside its peers; arguments after -- go to benchmarks/compare.py."""
    session.install(".[peers]")
    session.run("python", "benchmarks/compare.py", *session.posargs)


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
    """Build an sdist, and a wheel from it; check both, and use the wheel away from the sources."""
    session.install("build", "auditwheel")
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    session.run("python", "-m", "build")  # the wheel from the unpacked sdist
    (sdist,) = (ROOT / "dist").glob("*.tar.gz")
    (built,) = (ROOT / "dist").glob("*.whl")
    check_sdist(session, sdist)

    size = built.stat().st_size
    session.log(f"{sdist.name}: {sdist.stat().st_size / 1e6:.2f} MB")
    session.log(f"{built.name}: {size / 1e6:.2f} MB")
    if size > WHEEL_LIMIT:
        session.error(f"the wheel is larger than {WHEEL_LIMIT / 1e6:.0f} MB")

    said = session.run("auditwheel", "show", str(built), silent=True)
    answer = " ".join(str(said).split())  # as one line: it is wrapped anywhere
    session.log(answer)
    policy = re.search(r'following platform tag: "manylinux_(\d+)_(\d+)_\w+"', answer)
    if policy is None or (int(policy[1]), int(policy[2])) > WHEEL_GLIBC:
        session.error("the wheel fits no policy up to manylinux_{}_{}".format(*WHEEL_GLIBC))

    with tempfile.TemporaryDirectory() as folder, session.chdir(folder):
        session.run("python", "-m", "venv", "venv")
        env = {"PYTHONPATH": None}
        for command in (
            ["pip", "install", str(built)],
            ["fusegrad", "info"],
            ["fusegrad", "demo"],
            ["python", str(ROOT / "tools" / "smoke_test.py")],
        ):
            session.run(f"{folder}/venv/bin/{command[0]}", *command[1:], env=env, external=True)


def check_sdist(session: nox.Session, sdist: Path) -> None:
    """Stop unless the sdist holds the files of the tree, and nothing that was built."""
    listed = "git -c safe.directory=* ls-files -z --cached --others --exclude-standard"
    names = subprocess.check_output(listed.split(), cwd=ROOT, text=True).split("\0")
    left_out = tuple(
        nox.project.load_toml("pyproject.toml")["tool"]["scikit-build"]["sdist"]["exclude"]
    )
    kept = {name for name in names if (ROOT / name).is_file() and not name.startswith(left_out)}
    expected = kept | {"PKG-INFO"}
    with tarfile.open(sdist) as archive:
        held = {member.name.split("/", 1)[1] for member in archive.getmembers() if member.isfile()}
    if held != expected:
        differences = sorted(held ^ expected)
        session.error(f"the sdist lacks files of the tree, or holds others: {differences}")
