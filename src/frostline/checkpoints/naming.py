"""Which tensors of two checkpoints are the same one: exact names, names behind known wrappers, the user's renames."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from frostline.core.names.name_matching import bare
from frostline.core.names.patterns import matches
from frostline.errors import CheckpointError

LONGEST_TAIL = 12


def parsed_renames(renames: Iterable[str]) -> list[tuple[str, str]]:
    """Each ``OLD=NEW`` as a pair; CheckpointError for anything else."""
    pairs = []
    for rename in renames:
        old, equals, new = rename.partition("=")
        if not (old and equals and new):
            raise CheckpointError(
                f"--rename {rename!r} is not of the form OLD=NEW", "for example --rename encoder=body"
            )
        pairs.append((old.rstrip("."), new.rstrip(".")))
    return pairs


def renamed(name: str, renames: Iterable[tuple[str, str]]) -> str:
    """``name`` with the first rename that fits it, as a whole or as the modules it starts with.

    >>> renamed("encoder.0.weight", [("encoder", "body.encoder")]), renamed("encoder2.w", [("encoder", "body")])
    ('body.encoder.0.weight', 'encoder2.w')
    """
    for old, new in renames:
        if name == old or name.startswith((old + ".", old + "/")):
            return new + name[len(old) :]
    return name


def paired(old: Sequence[str], new: Sequence[str], renames: Sequence[tuple[str, str]] = ()) -> dict[str, str]:
    """Old names with the new names of the same tensors: first equal names, then names equal without wrappers.

    A bare name that several tensors of one side share decides nothing.

    >>> paired(["module.a", "b"], ["a", "b"])
    {'b': 'b', 'module.a': 'a'}
    """
    wanted = {name: renamed(name, renames) for name in old}
    present = set(new)
    pairs = {name: wish for name, wish in wanted.items() if wish in present}
    taken = set(pairs.values())
    left = [name for name in old if name not in pairs]
    free = _unique((bare(name), name) for name in new if name not in taken)
    for key, name in _unique((bare(wanted[name]), name) for name in left).items():
        if key in free:
            pairs[name] = free[key]
    return pairs


def matches_any(patterns: Sequence[str], *names: str) -> bool:
    """Whether a pattern matches one of the names, with or without what wrappers add to it.

    >>> matches_any(["head.**"], "module.head.weight")
    True
    """
    known = {*names, *(bare(name) for name in names)}
    return any(matches(pattern, name) for pattern in patterns for name in known)


def tails(name: str) -> list[str]:
    """The last parts of a name, most of them first; to choose between tensors of the same bytes.

    >>> tails("body.0.weight")
    ['body.0.weight', '0.weight', 'weight', '']
    """
    parts = re.split(r"[./]", name)[-LONGEST_TAIL:]
    return [".".join(parts[start:]) for start in range(len(parts) + 1)]


def _unique(keyed: Iterable[tuple[str, str]]) -> dict[str, str]:
    pairs = list(keyed)
    counts = Counter(key for key, _ in pairs)
    return {key: name for key, name in pairs if counts[key] == 1}
