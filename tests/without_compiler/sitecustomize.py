"""What stands in for torch's compiler, which the first step of any optimizer loads, whether or not it is used.

Python imports this by its name when it starts.
"""

import sys
from types import ModuleType, SimpleNamespace

compiler = ModuleType("torch._dynamo")
compiler.graph_break = lambda *_: None
compiler.disable = lambda function, *_, **__: function
compiler.trace_rules = SimpleNamespace(clear_lru_cache=lambda: None)
compiler.utils = SimpleNamespace(get_optimize_ddp_mode=lambda: "ddp_optimizer")
sys.modules["torch._dynamo"] = compiler
