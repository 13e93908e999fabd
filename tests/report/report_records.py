"""Records built by hand, one for each thing a report must be able to tell."""

from __future__ import annotations

from math import prod

from frostline.core.columns.saved import Copy, Saved
from frostline.core.events import SummaryPrinted
from frostline.core.ledger import Changed, Declared, Expected, Flip, Holding, OptimizerRow, TensorRow
from frostline.core.record import Finding, Record  # fmt: skip
from frostline.core.run import Run
from frostline.core.storage.store import FORMAT
from frostline.core.verdict import judge, totals


def tensor_row(name, *shape, trainable=True, optimizer=None, changed="yes", kind="parameter", dtype="float32", **more):
    """One row; a buffer declares nothing."""
    parameters = prod(shape)
    return TensorRow(
        name=name,
        model=more.pop("model", name.partition(".")[0]),
        kind=kind,
        shape=shape,
        dtype=dtype,
        bytes=4 * parameters,
        size=parameters,
        declared=more.pop("declared", None) or Declared(trainable=None if kind == "buffer" else trainable),
        optimizers=[Holding(optimizer=optimizer)] if optimizer else [],
        changed=Changed(verdict=changed, reason=more.pop("reason", None)),
        **more,
    )


def record(rows, *, findings=(), optimizers=(), events=(), run=None, expected=None):
    """A record whose totals and verdict are what the core makes of the tensors and findings."""
    return Record(
        format=FORMAT,
        frostline="0.1.0",
        run=run or a_run(),
        optimizers=list(optimizers),
        tensors=list(rows),
        totals=totals(rows),
        findings=list(findings),
        verdict=judge(findings, rows),
        events=list(events),
        expected=expected or Expected(),
    )


def a_run(**more):
    facts = {
        "command": ["train.py", "--epochs", "3"], "exit": 0, "complete": True, "python": "3.11.9", "seconds": 12.41,
        "frameworks": {"torch": "2.13.0"}, "checks": 9, "bytes_read": 48_300_000, "steps": 300,
    }  # fmt: skip
    return Run(**(facts | more))


def article():
    """C = A then B, B frozen, all right: three summaries, every tensor of C known under a second name."""

    def dense(model, index, inputs, units, **more):
        path = f"c.{model}.{'dense' if not index else f'dense_{index}'}"
        for name, shape in (("kernel", (inputs, units)), ("bias", (units,))):
            yield tensor_row(f"{path}.{name}", *shape, aliases=[f"{path[2:]}.{name}"], **more)

    trained = {"optimizer": "c.fit"}
    frozen = {"trainable": False, "changed": "no"}
    rows = [
        *dense("a", 0, 784, 32, **trained),
        *dense("a", 1, 32, 10, **trained),
        *dense("b", 0, 10, 100, **frozen),
        *dense("b", 1, 100, 10, **frozen),
    ]
    summaries = [
        SummaryPrinted(step=0, summary=0, model="a", total=25_450, trainable=25_450, non_trainable=0),
        SummaryPrinted(step=0, summary=1, model="b", total=2_110, trainable=0, non_trainable=2_110),
        SummaryPrinted(step=0, summary=2, model="c", total=27_560, trainable=25_450, non_trainable=2_110),
        SummaryPrinted(
            step=800, summary=3, model="c", total=78_462, trainable=25_450, non_trainable=2_110, optimizer=50_902
        ),
    ]
    optimizer = OptimizerRow("c.fit", "compiled-step", "adam", 800, 0, groups=[{"lr": 0.001}], captured_at=0)
    run = a_run(command=["-m", "frostline.demo"], frameworks={"keras": "3.15.1", "jax": "0.9.1"}, checks=11, steps=800)
    return record(rows, optimizers=[optimizer], events=summaries, run=run)


def resnet():
    """A frozen backbone with 40 normalisation layers whose statistics move, and a head that rounds away."""
    rows = []
    for stage in range(1, 5):
        for block in range(10):
            path = f"model.backbone.layer{stage}.{block}"
            rows.append(tensor_row(f"{path}.conv.weight", 64, 64, 3, 3, trainable=False, changed="no"))
            rows.extend(tensor_row(f"{path}.bn.{n}", 64, trainable=False, changed="no") for n in ("weight", "bias"))
            rows.extend(tensor_row(f"{path}.bn.{n}", 64, kind="buffer") for n in ("running_mean", "running_var"))
            rows.append(tensor_row(f"{path}.bn.num_batches_tracked", kind="buffer", dtype="int64"))
    rows.append(tensor_row("model.head.weight", 10, 64, optimizer="SGD"))
    rows.append(tensor_row("model.head.bias", 10, optimizer="SGD", changed="no", dtype="bfloat16"))
    statistics = Finding(
        "frozen-but-statistics-moved",
        "F107",
        "error",
        [row.name for row in rows if row.kind == "buffer"],
        "the running statistics of 40 frozen BatchNorm2d layers moved in every forward pass, outside any step",
        {"steps": 300, "owner": "BatchNorm2d", "training_mode": True, "numbers_moved": 5160, "largest_change": 0.8125},
        "put the frozen part in evaluation mode after every model.train(): model.backbone.eval()",
    )
    rounded = Finding(
        "update-rounded-away",
        "T205",
        "warning",
        ["model.head.bias"],
        "every update of 1 tensor was smaller than half a unit in the last place of bfloat16",
        {"lr": 1e-05, "largest_update_ulp": 0.0371, "optimizer_state": None},
        "keep these weights in float32, or raise the learning rate",
    )
    optimizer = OptimizerRow("SGD", "optimizer", "SGD", 300, 0, groups=[{"lr": 1e-05, "weight_decay": 0.0}])
    expected = Expected(frozen=["backbone.**"], trained=["head.**"])
    for row in rows:
        row.expected = "trained" if row.name.startswith("model.head") else "frozen"
        row.saved = Saved("same", [Copy("model.pt", row.name, 3, "same", row.dtype)])
    return record(rows, findings=[rounded, statistics], optimizers=[optimizer], expected=expected)


def adapters():
    """A transformer with trained low-rank adapters, tied embeddings, and quantised tensors that cannot be read."""
    rows = [tensor_row("lm.embed.weight", 50_000, 768, trainable=False, changed="no", aliases=["lm.lm_head.weight"])]
    for block in range(12):
        path = f"lm.blocks.{block}"
        for name in ("q", "k", "v", "o"):
            rows.append(tensor_row(f"{path}.attn.{name}.base.weight", 768, 768, trainable=False, changed="no"))
        for name in ("q", "v"):
            for part, shape in (("lora_a", (8, 768)), ("lora_b", (768, 8))):
                still = block == 7 and name == "v"
                rows.append(
                    tensor_row(
                        f"{path}.attn.{name}.{part}", *shape, optimizer="AdamW", changed="no" if still else "yes"
                    )
                )
        rows.append(
            tensor_row(
                f"{path}.mlp.packed",
                768,
                3072,
                trainable=False,
                changed="unknown",
                dtype="int4",
                unknown={"changed": "the packed 4-bit storage has no readable bytes", "saved": "no file was written"},
            )
        )
    rows.append(tensor_row("lm.norm.weight", 768, optimizer="AdamW"))
    gradient = Finding(
        "no-gradient",
        "T203",
        "error",
        ["lm.blocks.7.attn.v.lora_a", "lm.blocks.7.attn.v.lora_b"],
        "2 tensors are held by AdamW and never had a gradient; their module was never called",
        {"executed_steps": 1200, "module_called": False, "sibling_called": True, "optimizers": ["AdamW"]},
        "call the module in forward(), or take it out of the optimizer",
    )
    tied = Finding(
        "tied-names-disagree",
        "D302",
        "note",
        ["lm.embed.weight"],
        "lm.embed.weight and lm.lm_head.weight are one tensor; freezing one froze both",
        {"names": ["lm.embed.weight", "lm.lm_head.weight"]},
        "say it once, or untie them",
    )
    base = Finding(
        "frozen-random-weights",
        "D306",
        "note",
        [row.name for row in rows if row.name.endswith("base.weight")],
        "48 frozen tensors are still what the initialiser made",
        {},
        "load the pretrained weights before freezing them",
    )
    optimizer = OptimizerRow("AdamW", "optimizer", "AdamW", 1200, 3, foreign_shapes=[(3,), (4,)], merged=2)
    run = a_run(exit=1, ended_by="ValueError", faults=["torch: no digest for int4"] * 12 + ["torch: no owner for lm.x"])
    return record(rows, findings=[tied, gradient, base], optimizers=[optimizer], run=run)


def gan():
    """Two models, two programs, flags toggled in turn, killed half-way."""
    toggled = Declared(trainable=False, first=True, flips=[Flip(1, False)], flip_count=640)
    rows = [tensor_row(f"generator.{i}.{n}", 64, 64, optimizer="Adam-1") for i in (0, 2, 4) for n in ("weight", "bias")]
    rows += [
        tensor_row(f"discriminator.{i}.{n}", 64, 64, optimizer="Adam-2", declared=toggled)
        for i in (0, 2)
        for n in ("weight", "bias")
    ]
    rows.append(
        tensor_row(
            "discriminator.4.weight",
            1,
            64,
            changed="unknown",
            unknown={"changed": "not read before the run was killed"},
        )
    )
    optimizers = [
        OptimizerRow("Adam-1", "optimizer", "Adam", 320, 0),
        OptimizerRow("Adam-2", "optimizer", "Adam", 320, 0),
    ]
    run = a_run(exit=None, complete=False, steps=640, ended_by="SIGKILL", rank=1, world_size=4)
    return record(rows, optimizers=optimizers, run=run)


def nothing():
    """A script in which no model and no program was seen."""
    return record([], run=a_run(frameworks={}, steps=0, checks=0, bytes_read=0))


SAMPLES = {sample.__name__: sample for sample in (article, resnet, adapters, gan, nothing)}
