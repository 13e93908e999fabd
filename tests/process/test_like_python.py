"""A script under frostline prints, raises and exits byte for byte as it does under plain python."""

import sys
from dataclasses import dataclass, field

import pytest

# What a script that trains nothing gets in place of a report.
NOTHING = """\
frostline: no model was found: the script imported none of torch, keras, tf_keras, jax
hint: models of these are observed; if it starts the training in another process, run that one under frostline
"""


@dataclass(frozen=True)
class Case:
    """A script, how it is called, and the files beside it."""

    source: str
    call: tuple[str, ...] = ("script.py",)
    stdin: str = ""
    flags: tuple[str, ...] = ()
    files: dict[str, str] = field(default_factory=dict)


CASES = {
    # What the script sees of itself
    "arguments": Case("import sys; print(sys.argv)", ("script.py", "--frozen", "-m", "--", "--help", "-x=1", "")),
    "path": Case("import sys; print(sys.path)"),
    "path in a folder": Case("", ("sub/../sub/a.py",), files={"sub/a.py": "import sys; print(sys.path, __file__)"}),
    "path when safe": Case("import sys; print('' in sys.path, len(sys.path))", flags=("-P",)),
    "dotted path": Case("import sys; print(sys.argv, __file__, sys.path[0])", ("./script.py",)),
    "main": Case("print({k: str(v).split(' at 0x')[0] for k, v in globals().items()})"),
    "main is itself": Case("import sys; print(sys.modules['__main__'].__dict__ is globals(), __name__)"),
    "local import": Case("import helper; print(helper.__name__)", files={"helper.py": ""}),
    "docstring": Case("'''About.'''\nprint(__doc__)"),
    "annotations": Case("x: int = 3\nprint(globals().get('__annotations__'))"),
    "no future": Case("def f(a: list): pass\nprint(f.__annotations__)"),
    "encoding": Case("", ("latin.py",)),
    "stdin": Case("import sys; print(input('? '), sys.stdin.read())", stdin="one\ntwo\n"),
    "from stdin": Case(
        "",
        ("-", "a", "-"),
        stdin="import sys\nprint(sys.argv, sys.path, __file__, __loader__.__class__, repr(sys.stdin.read()))\n",
    ),
    "from stdin, failing": Case("", ("-",), stdin="def f():\n    1 / 0\nf()\n"),
    "from stdin, no program": Case("", ("-",), stdin="a b\n"),
    "no frameworks": Case(
        "import sys; print({m.partition('.')[0] for m in sys.modules}"
        " & {'numpy', 'torch', 'keras', 'tensorflow', 'jax', 'tf_keras', 'rich'})"
    ),
    "recursion limit": Case("import sys; print(sys.getrecursionlimit())"),
    "signal handlers": Case("import signal; print([signal.getsignal(s) for s in (2, 15, 1)])"),
    "warning": Case("import warnings\ndef f(): warnings.warn('old', DeprecationWarning, stacklevel=2)\nf()"),
    # How it leaves
    "exit 0": Case("import sys; sys.exit(0)"),
    "exit 3": Case("import sys; sys.exit(3)"),
    "exit 256": Case("import sys; sys.exit(256)"),
    "exit -1": Case("import sys; sys.exit(-1)"),
    # From 3.12 on the interpreter also complains of it, when it shuts down:
    **({"exit huge": Case("import sys; sys.exit(2**70)")} if sys.version_info < (3, 12) else {}),
    "exit True": Case("import sys; sys.exit(True)"),
    "exit None": Case("import sys; sys.exit(None)"),
    "exit text": Case("import sys; sys.exit('no data')"),
    "exit tuple": Case("import sys; sys.exit((1, 2))"),
    "exit empty text": Case("import sys; sys.exit('')"),
    "quit": Case("quit(4)"),
    "os._exit": Case("import os; print('gone', flush=True); os._exit(7)"),
    "atexit": Case("import atexit; atexit.register(print, 'bye'); print('end')"),
    "unflushed file": Case(
        "import atexit, pathlib\nout = open('kept.txt', 'w'); out.write('kept')\n"
        "atexit.register(lambda: print(pathlib.Path('kept.txt').exists()))"
    ),
    "threads": Case(
        "import threading, time\n"
        "def late(): time.sleep(0.3); print('late')\n"
        "threading.Thread(target=late).start(); print('end')\n"
    ),
    "thread pool left open": Case(
        "from concurrent.futures import ThreadPoolExecutor as P\npool = P(2)\npool.submit(print, 'pooled').result()\n"
    ),
    "threads before atexit": Case(
        "import atexit, threading, time\natexit.register(print, 'atexit')\n"
        "threading.Thread(target=lambda: (time.sleep(0.2), print('thread'))).start()\n"
    ),
    # How it fails
    "error": Case("def f(): 1 / 0\nf()"),
    "error from": Case("try:\n    1 / 0\nexcept Exception as e:\n    raise ValueError('outer') from e"),
    "error during": Case("try:\n    1 / 0\nexcept Exception:\n    {}['x']"),
    "error in import": Case("import helper", files={"helper.py": "raise RuntimeError('broken')"}),
    "error group": Case("raise ExceptionGroup('two', [ValueError(1), TypeError(2)])"),
    "error note": Case("e = ValueError('a'); e.add_note('note'); raise e"),
    "own exception": Case("class Bad(Exception): pass\nraise Bad('x')"),
    "recursion": Case("def f(): f()\ntry: f()\nexcept RecursionError: print(1)"),
    "syntax error": Case("a b"),
    "syntax error in import": Case("import helper", files={"helper.py": "def (:"}),
    "indentation": Case("if 1:\nx"),
    "missing import": Case("import no_such_thing"),
    "excepthook": Case("import sys\nsys.excepthook = lambda *a: print('mine', a[0])\n1/0"),
    "excepthook exits": Case("import sys\nsys.excepthook = lambda *a: sys.exit(9)\n1/0"),
    "excepthook fails": Case("import sys\ndef hook(*a): {}['k']\nsys.excepthook = hook\n1/0"),
    "thread fails": Case("import threading\nt = threading.Thread(target=lambda: 1/0, name='t'); t.start(); t.join()"),
    "last error": Case("import sys, atexit\natexit.register(lambda: print(sys.last_value))\n1/0"),
    "assert": Case("assert 1 == 2, 'no'"),
    "broken framework": Case("import torch", files={"torch.py": "def f(): 1 / 0\nf()"}),
    "broken framework import": Case("import torch", files={"torch.py": "import no_such_thing"}),
    "caught broken framework": Case(
        "try: import keras\nexcept ImportError as e: print(e)", files={"keras.py": "raise ImportError('no backend')"}
    ),
    # Modules, folders, compiled files
    "module": Case(
        "", ("-m", "mod", "-x", "--quiet"), files={"mod.py": "import sys\nprint(sys.argv, sys.path[0], __spec__.name)"}
    ),
    "module fails": Case("", ("-m", "mod"), files={"mod.py": "1 / 0"}),
    "package": Case(
        "", ("-m", "pkg", "a"), files={"pkg/__init__.py": "", "pkg/__main__.py": "print(__name__, __package__)"}
    ),
    "package relative": Case(
        "",
        ("-m", "pkg.sub.mod"),
        files={
            "pkg/__init__.py": "print('pkg')",
            "pkg/sub/__init__.py": "",
            "pkg/sub/mod.py": "from .. import __path__; print(__package__)",
        },
    ),
    "package without main": Case("", ("-m", "pkg"), files={"pkg/__init__.py": ""}),
    "folder": Case(
        "",
        ("app", "x"),
        files={"app/__main__.py": "import sys, near; print(sys.argv, sys.path, __spec__.origin)", "app/near.py": ""},
    ),
    "folder fails": Case("", ("app",), files={"app/__main__.py": "raise SystemExit('stop')"}),
    # Pickles and processes
    "pickle": Case("import pickle\nclass A: x = 1\nprint(pickle.loads(pickle.dumps(A())).x, A.__module__)"),
    **{
        f"processes by {method}": Case(
            "import multiprocessing as mp, os, sys\n"
            "class Point:\n    def __init__(self, x): self.x = x\n"
            "def double(p): return Point(p.x * 2)\n"
            "if __name__ == '__mp_main__': open(f'seen.{os.getpid()}', 'w').close()\n"
            "if __name__ == '__main__':\n"
            f"    with mp.get_context('{method}').Pool(2) as pool:\n"
            "        print([p.x for p in pool.map(double, [Point(1), Point(2)])])\n"
            f"    bad = mp.get_context('{method}').Process(target=sys.exit, args=(5,)); bad.start(); bad.join()\n"
            "    print(bad.exitcode, any('seen' in name for name in os.listdir()))\n"
        )
        for method in ("spawn", "fork", "forkserver")
    },
    "spawn from a module": Case(
        "",
        ("-m", "mod"),
        files={
            "mod.py": "import multiprocessing as mp\ndef f(x): return x + 1\n"
            "if __name__ == '__main__':\n    print(mp.get_context('spawn').Pool(1).map(f, [1, 2]))\n"
        },
    ),
    "process pool": Case(
        "from concurrent.futures import ProcessPoolExecutor as P\ndef f(x): return x + 1\n"
        "if __name__ == '__main__':\n    pool = P(1)\n    print(list(pool.map(f, [1, 2])))\n"
    ),
    "fork by hand": Case(
        "import os, sys\npid = os.fork()\nif pid: print('child', os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n"
        "else: sys.exit(6)\n"
    ),
    "fork that falls off the end": Case(
        "import os\npid = os.fork()\nif pid: os.waitpid(pid, 0)\nprint(bool(pid), flush=True)\n"
    ),
    "fork that fails": Case("import os\nif not os.fork(): raise ValueError('child')\nos.wait()\n"),
}


@pytest.mark.parametrize("name", CASES)
def test_as_under_python(name: str, shell) -> None:
    case = CASES[name]
    shell.write("script.py", case.source)
    (shell.folder / "latin.py").write_bytes("# -*- coding: latin-1 -*-\nprint(ascii('é'))".encode("latin-1"))
    for file, source in case.files.items():
        shell.write(file, source)

    plain = shell.plain(*case.call, stdin=case.stdin, flags=case.flags)
    observed = shell.observed(*case.call, stdin=case.stdin, flags=case.flags)

    assert observed.stdout == plain.stdout
    assert observed.stderr == plain.stderr + ("" if plain.status or "os._exit" in case.source else NOTHING)
    assert observed.status == plain.status


def test_a_script_is_run_through_a_link_as_under_python(shell) -> None:
    shell.write("real/script.py", "import sys; print(sys.path[0], __file__, sys.argv)")
    (shell.folder / "link.py").symlink_to(shell.folder / "real" / "script.py")
    assert shell.observed("link.py").stdout == shell.plain("link.py").stdout


def test_a_zip_is_run_as_under_python(shell) -> None:
    import zipfile

    with zipfile.ZipFile(shell.folder / "app.zip", "w") as archive:
        archive.writestr("__main__.py", "import sys; print(sys.argv, sys.path, __file__)")
    assert shell.observed("app.zip", "x").stdout == shell.plain("app.zip", "x").stdout


def test_a_compiled_script_is_run_as_under_python(shell) -> None:
    import py_compile

    script = shell.write("script.py", "print(__file__, __loader__.__class__, __cached__)")
    py_compile.compile(str(script), cfile=str(shell.folder / "script.pyc"))
    assert shell.observed("script.pyc").stdout == shell.plain("script.pyc").stdout


def test_no_bytecode_is_written_for_the_script(shell) -> None:
    shell.write("script.py", "import helper")
    shell.write("helper.py", "")
    shell.observed("script.py")
    assert [path.name.partition(".")[0] for path in (shell.folder / "__pycache__").iterdir()] == ["helper"]
