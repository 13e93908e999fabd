"""Metrics, findings and the page in MLflow: in the script's active run, or in one of its own where there is none.

Everything goes through a client, which touches neither the active run nor its steps.
"""

from __future__ import annotations

import json
import os
import re
import time
from typing import Any

from frostline.core.record import Record
from frostline.integrations.trackers.told import COLUMNS, page, scalars, table

_FINDINGS = "frostline/findings.json"
_TABLES = "mlflow.loggedArtifacts"  # the tag by which MLflow's pages know what to show as a table


class MlflowRun:
    """What MLflow is told, from the first check on."""

    purpose = "telling MLflow"

    def __init__(self) -> None:
        self._client: Any = None
        self._run = ""
        self._is_own = False
        self._last: int | None = None

    def write(self, record: Record) -> None:
        """Log the scalars of a check at the number of executed steps, and at the end of the run what was found."""
        if self._client is None:
            self._open(record)
        if record.run.steps != self._last:  # the end of the run adds no metrics to a check at its last step
            self._last = record.run.steps
            self._log(scalars(record), record.run.steps)
        if record.run.complete:
            found = {"columns": COLUMNS, "data": table(record)}
            self._client.log_text(self._run, json.dumps(found), _FINDINGS)
            self._client.log_text(self._run, page(record), "frostline/frostline.html")
            known = json.loads(self._client.get_run(self._run).data.tags.get(_TABLES, "[]"))
            told = [*known, {"path": _FINDINGS, "type": "table"}]
            self._client.set_tag(self._run, _TABLES, json.dumps(told))

    def close(self) -> None:
        """No more checks."""
        if self._is_own:
            self._client.set_terminated(self._run)

    def _open(self, record: Record) -> None:
        import mlflow

        self._client = mlflow.MlflowClient()
        active = mlflow.active_run()
        self._is_own = active is None
        name = f"frostline {' '.join(record.run.command)}"[:250].strip()
        made = active or self._client.create_run(_experiment(self._client), run_name=name)
        self._run = made.info.run_id

    def _log(self, told: dict[str, int], step: int) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self._client.log_batch(self._run, [Metric(_named(tag), count, now, step) for tag, count in told.items()])


def _experiment(client: Any) -> str:
    """The experiment that the environment names, or the one that MLflow starts with."""
    if (number := os.environ.get("MLFLOW_EXPERIMENT_ID")) is not None:
        return number
    if (name := os.environ.get("MLFLOW_EXPERIMENT_NAME")) is None:
        return "0"
    known = client.get_experiment_by_name(name)
    return str(client.create_experiment(name) if known is None else known.experiment_id)


def _named(tag: str) -> str:
    """A tag as a name that MLflow takes.

    >>> _named("frostline/changed/model.params['w']")
    'frostline/changed/model.params__w__'
    """
    return re.sub(r"[^\w\-. /]", "_", tag)
