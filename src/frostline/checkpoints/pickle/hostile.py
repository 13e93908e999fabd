"""Names that no checkpoint needs and the known attacks on pickles use."""

from __future__ import annotations

import _compat_pickle

from frostline.checkpoints.pickle.records import Global

# Nothing that a file names is ever called, so this list is no defence. It only turns such a file away with a plain
# word, where listing it would make it look sound. A name stands for everything below it.
_NAMES = """
os posix nt subprocess sys pty commands popen2 shutil socket ctypes importlib runpy imp pkgutil
code codeop pdb bdb timeit trace profile cProfile doctest webbrowser pickle _pickle marshal
types.CodeType types.FunctionType asyncio multiprocessing concurrent http urllib ftplib smtplib
telnetlib imaplib poplib nntplib xmlrpc requests aiohttp httpx pip ensurepip venv idlelib lib2to3
distutils setuptools fileinput linecache logging.config joblib.load operator.methodcaller
_io.open io.open codecs.open numpy.load numpy.fromfile numpy.testing numpy.f2py numpy.distutils
torch.load torch.hub torch.serialization.load torch.package torch.jit.load torch._inductor torch.testing
torch.distributed.rpc torch.utils.collect_env torch.utils.bottleneck torch.utils._config_module
torch.cuda._run torch.fx.experimental.symbolic_shapes
"""
_BUILTINS = "eval exec execfile compile __import__ open file breakpoint input globals apply"

_HOSTILE = frozenset(_NAMES.split()) | {
    f"{module}.{name}" for module in ("builtins", "__builtin__") for name in _BUILTINS.split()
}


def present(named: Global) -> str:
    """The name as Python 3 has it; pickles of the older protocols use that of Python 2.

    >>> present(Global("commands", "Popen")), present(Global("posix", "system"))
    ('subprocess.Popen', 'posix.system')
    """
    module, name = _compat_pickle.NAME_MAPPING.get((named.module, named.name), (named.module, named.name))
    return f"{_compat_pickle.IMPORT_MAPPING.get(module, module)}.{name}"


def hostile(named: Global) -> bool:
    """Whether a checkpoint that names this can only mean harm.

    >>> hostile(Global("posix", "system")), hostile(Global("argparse", "Namespace"))
    (True, False)
    """
    parts = str(named).split(".")
    return any(".".join(parts[:count]) in _HOSTILE for count in range(1, len(parts) + 1))
