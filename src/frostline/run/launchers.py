"""Who this process is among those that a launcher started, and which job they are of: what the environment says."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping

# Rank, number of processes, and what tells one job from another: torchrun, Open MPI, PMI, Slurm.
_LAUNCHERS = (
    ("RANK", "WORLD_SIZE", ("TORCHELASTIC_RUN_ID", "TORCHELASTIC_RESTART_COUNT", "MASTER_ADDR", "MASTER_PORT")),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", ("PMIX_NAMESPACE", "OMPI_MCA_ess_base_jobid")),
    ("PMI_RANK", "PMI_SIZE", ("PMI_JOBID", "PMI_KVS", "HYDI_CONTROL_FD")),
    ("SLURM_PROCID", "SLURM_NTASKS", ("SLURM_JOB_ID", "SLURM_STEP_ID", "SLURM_RESTART_COUNT")),
)


def process_rank(environment: Mapping[str, str]) -> tuple[int | None, int | None]:
    """This process's rank and the number of processes, as the launcher put them; ``(None, None)`` when alone.

    Example:
        >>> process_rank({"RANK": "1", "WORLD_SIZE": "4"}), process_rank({"RANK": "0", "WORLD_SIZE": "1"})
        ((1, 4), (None, None))
    """
    for rank_name, size_name, _ in _LAUNCHERS:
        with contextlib.suppress(KeyError, ValueError):
            rank, size = int(environment[rank_name]), int(environment[size_name])
            return (rank, size) if size > 1 else (None, None)
    return None, None


def job_name(environment: Mapping[str, str]) -> str:
    """Eight hexadecimal digits that all processes of one job agree on, and those of another hardly ever share.

    Where all of them are on one machine, the launcher's own process tells two jobs with the same variables apart.
    """
    said = [f"{name}={environment.get(name, '')}" for *_, names in _LAUNCHERS for name in names]
    size = process_rank(environment)[1]
    if size is not None and environment.get("LOCAL_WORLD_SIZE") == str(size):
        said.append(str(os.getppid()))
    import hashlib  # only jobs of several processes pay for it

    return hashlib.sha256("\n".join([*said, f"of {size}"]).encode()).hexdigest()[:8]
