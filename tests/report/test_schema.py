"""The JSON Schema of the record is the published one, and every record is valid by it."""

import importlib.util
import json
from pathlib import Path

import jsonschema
import pytest
from report_records import SAMPLES
from tests.ledgers import stored

from frostline.core.storage.store import to_json

DOCS = Path(__file__).parents[2] / "docs"
PUBLISHED = DOCS / "record.schema.json"
VALIDATOR = jsonschema.Draft202012Validator(json.loads(PUBLISHED.read_text("utf-8")))


def test_the_published_schema_is_that_of_the_program() -> None:
    spec = importlib.util.spec_from_file_location("schema", DOCS / "schema.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.schema() == PUBLISHED.read_text("utf-8"), "python docs/schema.py writes it"


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_record_is_valid(sample: str) -> None:
    VALIDATOR.validate(json.loads(to_json(SAMPLES[sample]())))


def test_records_of_real_runs_are_valid() -> None:
    for seen in stored.load("tf_keras"):
        VALIDATOR.validate(json.loads(to_json(stored.record_of(seen))))


@pytest.mark.parametrize(
    ("path", "value"),
    [(("run", "steps"), "many"), (("tensors", 0, "changed", "verdict"), "perhaps"), (("findings",), None)],
)
def test_a_planted_fault_is_found(path: tuple[str | int, ...], value: object) -> None:
    document = json.loads(to_json(SAMPLES["resnet"]()))
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert not VALIDATOR.is_valid(document)
