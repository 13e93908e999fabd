"""The Triton kernel in Triton's interpreter, without a GPU: the very numbers of xxhash, whatever size and alignment."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.needs("torch")
triton = pytest.importorskip("triton")

INTERPRETED = {**os.environ, "TRITON_INTERPRET": "1"}
HERE = Path(__file__).parent


def test_in_the_interpreter() -> None:
    """In a process of its own: Triton chooses between compiler and interpreter when it is imported."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(HERE / "interpreted_blocks.py")]
    done = subprocess.run(command, env=INTERPRETED, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("width", [8, 1])
def test_it_compiles_for_a_device_that_is_not_here(width: int) -> None:
    """Down to machine code for an H100's architecture; the interpreter lets pass what the compiler refuses."""
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from frostline.frameworks.torch.tensors import triton_blocks as kernels

    columns = dict.fromkeys(("places", "lengths", "targets"), "*i64") | dict.fromkeys(("words", "values"), "*u64")
    constants = {"PIECE": kernels.PIECES[width], "WIDTH": width, "COUNT": kernels.RUNS}
    order = ("places", "lengths", "words", "values", "targets")
    signature = {name: columns[name] for name in order} | {"count": "i32"} | dict.fromkeys(constants, "constexpr")
    source = ASTSource(fn=kernels._xxh3_long, signature=signature, constexprs=constants)
    made = triton.compile(source, target=GPUTarget("cuda", 90, 32), options={"num_warps": kernels.WARPS})
    assert made.asm["cubin"]
    rows = {"places": "*i64", "lengths": "*i64", "rows": "*u8", "SIZE": "constexpr"}
    source = ASTSource(fn=kernels._copy_short, signature=rows, constexprs={"SIZE": kernels.ROW})
    assert triton.compile(source, target=GPUTarget("cuda", 90, 32)).asm["cubin"]
