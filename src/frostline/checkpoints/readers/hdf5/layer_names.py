"""The names that users gave the layers of Keras models, which numbers stand for in the paths of the file."""

from __future__ import annotations

import re
from collections import Counter


def named_by_user(groups: dict[str, str], paths: list[str]) -> dict[str, str]:
    """Names for paths: Keras numbers layers by their class in the file and writes the real name beside the variables.

    A name that Keras made up counts layers over the whole process and would differ between two equal models, so only
    one that somebody chose takes the place of the number, and none that two would share.

    >>> named_by_user({"layers/dense_1/vars": "head", "layers/dense/vars": "dense_7"}, ["layers/dense_1/vars/0"])
    {'layers/dense_1/vars/0': 'layers/head/vars/0'}
    """
    names = {}
    for path in paths:
        parts = path.split("/")
        for at in range(1, len(parts)):
            chosen = groups.get("/".join([*path.split("/")[: at + 1], "vars"]), "")
            if chosen and "/" not in chosen and _unnumbered(chosen) != _unnumbered(parts[at]):
                parts[at] = chosen
        names[path] = "/".join(parts)
    while clashing := {name for name, count in Counter(names.values()).items() if count > 1}:
        names |= {path: path for path, name in names.items() if name in clashing}
    return names


def _unnumbered(name: str) -> str:
    return re.sub(r"_\d+$", "", name)
