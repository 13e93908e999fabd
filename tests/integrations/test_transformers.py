# ruff: noqa: E402  # skipped before the libraries are imported, where one is missing
"""Fine-tunes of a real pretrained model with the Trainer of Hugging Face and peft: no false alarm, the right rule."""

import pytest

pytest.importorskip("transformers")
peft = pytest.importorskip("peft")
schedulefree = pytest.importorskip("schedulefree")

import minilm
import torch
from transformers import Trainer, TrainerCallback, TrainingArguments

import frostline
from frostline.core.record import Record
from frostline.errors import FindingsError
from frostline.integrations.transformers import WatchWeights

pytestmark = pytest.mark.needs("torch", "transformers", "peft", "schedulefree")


@pytest.fixture
def train(tmp_path):
    """Four steps of the Trainer on real sentences, under the callback."""

    def run(model: torch.nn.Module, watch: WatchWeights, *others: TrainerCallback, epochs: int = 1) -> Record:
        arguments = TrainingArguments(
            output_dir=str(tmp_path), per_device_train_batch_size=2, num_train_epochs=epochs, report_to=[],
            save_strategy="no", logging_strategy="no", disable_tqdm=True, use_cpu=True, learning_rate=1e-3,
        )  # fmt: skip
        Trainer(model, arguments, train_dataset=minilm.rows(), callbacks=[watch, *others]).train()
        assert watch.report is not None
        return watch.report.record

    return run


def graver(record: Record) -> dict[str, set[str]]:
    """The tensors of every error and warning, by rule."""
    assert record.run.faults == []
    return {each.rule: set(each.tensors) for each in record.findings if each.severity != "note"}


def changed(record: Record) -> set[str]:
    return {row.name.partition(".")[2] for row in record.tensors if row.changed.verdict == "yes"}


def test_a_full_fine_tune(train, capsys) -> None:
    record = train(minilm.classifier(), WatchWeights())
    assert graver(record) == {}
    assert record.totals.changed > 15_000_000
    assert "frostline: no contradiction found" in capsys.readouterr().err


def test_a_frozen_base_with_a_head(train, tmp_path) -> None:
    model = minilm.classifier()
    model.bert.requires_grad_(False)
    before = minilm.bits(model.bert)
    data = tmp_path / "record.json"
    record = train(model, WatchWeights(["bert.**"], ["classifier.**"], data=data, quiet=True))
    assert minilm.bits(model.bert) == before
    assert graver(record) == {}
    assert changed(record) == {"classifier.weight", "classifier.bias"}
    assert b'"complete":true' in data.read_bytes()


def test_a_broken_promise_raises_at_the_end(train) -> None:
    with pytest.raises(FindingsError, match="expected-frozen-but-changed"):
        train(minilm.classifier(), WatchWeights(["bert.pooler.**"], fail_on="error", quiet=True))


def test_lora_with_a_head_that_is_saved(train) -> None:
    model = minilm.classifier()
    before = minilm.bits(model.bert)
    config = peft.LoraConfig(task_type="SEQ_CLS", r=4, target_modules=["query", "value"])
    adapted = peft.get_peft_model(model, config)
    frozen = ["**.base_layer.**", "**.original_module.**", "**.embeddings.**"]
    record = train(adapted, WatchWeights(frozen, ["**.lora_*.**", "**.modules_to_save.**"], quiet=True))
    after = {name.replace("base_layer.", ""): value for name, value in minilm.bits(model.bert).items()}
    assert {name: after[name] for name in before} == before
    assert graver(record) == {}
    assert len(changed(record)) == 2 * 2 * 2 + 2
    assert all("lora_" in name or "modules_to_save" in name for name in changed(record))


def test_prompt_tuning(train) -> None:
    model = minilm.classifier()
    before = minilm.bits(model.bert)
    tuned = peft.get_peft_model(model, peft.PromptTuningConfig(task_type="SEQ_CLS", num_virtual_tokens=4))
    record = train(tuned, WatchWeights(["**.bert.**"], ["prompt_encoder.**"], quiet=True))
    assert minilm.bits(model.bert) == before
    assert graver(record) == {}
    assert "prompt_encoder.default.embedding.weight" in changed(record)


class OneLayerAtATime(TrainerCallback):
    """Opens another layer in every epoch; the Trainer has chosen its parameters before the first."""

    def on_epoch_begin(self, args, state, control, model=None, **kwargs):
        for index, layer in enumerate(model.bert.encoder.layer):
            layer.requires_grad_(index == int(state.epoch or 0))


def test_layers_that_are_opened_after_the_trainer_chose_its_parameters(train) -> None:
    model = minilm.classifier()
    model.bert.requires_grad_(False)
    model.bert.encoder.layer[0].requires_grad_(True)
    found = graver(train(model, WatchWeights(quiet=True), OneLayerAtATime(), epochs=2))
    assert set(found) == {"unfrozen-after-compile"}
    assert all(".layer.1." in name for name in found["unfrozen-after-compile"])
    assert len(found["unfrozen-after-compile"]) == 16


def steps(model: torch.nn.Module, optimizer: torch.optim.Optimizer, after=lambda step: None) -> None:
    batch = minilm.batch()
    for step in range(5):
        optimizer.zero_grad()
        model(**batch).loss.backward()
        optimizer.step()
        after(step)


def test_a_frozen_adapter_that_disable_adapter_switches_on() -> None:
    config = peft.LoraConfig(r=4, target_modules=["query"], init_lora_weights=False, modules_to_save=["classifier"])
    model = peft.get_peft_model(minilm.classifier(), config)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_("modules_to_save" in name)

    def compare(step):
        with torch.no_grad(), model.disable_adapter():
            model(**minilm.batch())

    with frostline.watch(model, frozen=["**.lora_*.**"]) as seen:
        steps(model, torch.optim.SGD(model.parameters(), lr=0.1), compare)
    found = graver(seen.report.record)
    assert set(found) == {"flag-flipped-during-run"} or "expected-frozen-but-changed" in found
    assert all("lora_" in name for names in found.values() for name in names)


@pytest.mark.parametrize("frozen_from", [0, 2])
def test_a_schedule_free_optimizer_that_switches_to_evaluation(frozen_from: int) -> None:
    """Frozen from the start is healthy; frozen later, eval() and train() rewrite what has a state already."""
    model = minilm.classifier()
    model.bert.requires_grad_(frozen_from > 0)
    optimizer = schedulefree.AdamWScheduleFree(model.parameters(), lr=1e-3)
    optimizer.train()

    def evaluate(step):
        if step + 1 == frozen_from:
            model.bert.requires_grad_(False)
        if step + 1 > frozen_from:
            optimizer.eval()
            optimizer.train()

    with frostline.watch(model) as seen:
        steps(model, optimizer, evaluate)
    assert set(graver(seen.report.record)) == ({"frozen-but-rewritten-outside-step"} if frozen_from else set())


def test_what_another_training_left_behind_is_no_finding() -> None:
    """A loop variable keeps the last parameter of a model that is gone, and that parameter its gradient."""
    global left
    old = torch.nn.Linear(2, 2)
    old(torch.ones(1, 2)).sum().backward()
    left = list(old.parameters())[-1]
    del old
    model = torch.nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with frostline.watch(model) as seen:
        for _ in range(4):
            optimizer.zero_grad()
            model(torch.ones(1, 2)).sum().backward()
            optimizer.step()
    assert graver(seen.report.record) == {}
