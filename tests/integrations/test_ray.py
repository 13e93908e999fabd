"""Ray Train, really: a local Ray, two workers, and a fault in the one that is not the first."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.needs("torch"),
    pytest.mark.needs("ray"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
]


def loop() -> Callable[[dict[str, Any]], None]:
    """The training of a worker, as a function that no module holds: workers cannot import this one."""

    def train_loop(config: dict[str, Any]) -> None:
        import torch
        from ray import train
        from ray.train.torch import prepare_model

        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
        model[0].requires_grad_(False)
        shared = prepare_model(model)
        optimizer = torch.optim.SGD([each for each in shared.parameters() if each.requires_grad], lr=0.1)
        for _ in range(6):
            optimizer.zero_grad()
            shared(torch.randn(4, 8)).square().mean().backward()
            optimizer.step()
            if config["fault"] and train.get_context().get_world_rank() == 1:
                with torch.no_grad():
                    model[0].weight.mul_(0.99)
        train.report({"done": 1})

    return train_loop


@pytest.fixture(scope="module")
def local_ray() -> Any:
    import ray

    ray.init(num_cpus=2, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
    yield
    ray.shutdown()


@pytest.mark.parametrize("fault", [False, True])
def test_what_the_workers_trained_is_told_together(fault: bool, local_ray: Any, tmp_path: Path) -> None:
    from ray.train import RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer

    from frostline.integrations.ray import observed, report

    trainer = TorchTrainer(
        observed(loop()),
        train_loop_config={"fault": fault},
        scaling_config=ScalingConfig(num_workers=2),
        run_config=RunConfig(name="run", storage_path=str(tmp_path)),
    )
    record = report(trainer.fit()).record
    assert (record.run.world_size, record.run.missing, record.totals.changed) == (2, [], 18 + 64 * fault)
    grave = {finding.rule: finding for finding in record.findings if finding.severity == "error"}
    assert set(grave) == ({"frozen-but-decayed", "ranks-diverge"} if fault else set())
    assert not fault or grave["frozen-but-decayed"].evidence["only_in_ranks"] == ["1"]
