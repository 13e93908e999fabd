"""What the SARIF 2.1.0 standard demands of the objects that frostline writes, as a JSON Schema.

Every object is closed, as in the standard: a property that is not listed is one that readers would refuse.
Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html, sections 3.13 to 3.52.
"""


def closed(required: str, **properties: object) -> dict[str, object]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": required.split(),
        "properties": {**properties, "properties": {"type": "object"}},
    }


def several(items: object, unique: bool = False) -> dict[str, object]:
    return {"type": "array", "items": items, "uniqueItems": unique}


TEXT = {"type": "string"}
INDEX = {"type": "integer", "minimum": -1}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
MESSAGE = closed("text", text={"type": "string", "minLength": 1}, markdown=TEXT)
ARTIFACT = closed("", uri={"type": "string", "format": "uri-reference", "pattern": r"^[^\s\\]+$"}, uriBaseId=TEXT)
NUMBER = {"type": "integer", "minimum": 1}
REGION = closed("", startLine=NUMBER, startColumn=NUMBER, endLine=NUMBER, snippet=closed("", text=TEXT))
LOCATION = closed(
    "",
    id={"type": "integer", "minimum": -1},
    message=MESSAGE,
    physicalLocation=closed("artifactLocation", artifactLocation=ARTIFACT, region=REGION),
    logicalLocations=several(closed("", name=TEXT, fullyQualifiedName=TEXT, kind=TEXT), unique=True),
)
RULE = closed(
    "id",
    id=TEXT,
    name=TEXT,
    shortDescription=MESSAGE,
    fullDescription=MESSAGE,
    help=MESSAGE,
    helpUri={"type": "string", "format": "uri"},
    defaultConfiguration=closed("", level=LEVEL),
)
RESULT = closed(
    "message",
    ruleId=TEXT,
    ruleIndex=INDEX,
    level=LEVEL,
    message=MESSAGE,
    locations=several(LOCATION),
    relatedLocations=several(LOCATION, unique=True),
    partialFingerprints={"type": "object", "additionalProperties": TEXT},
    suppressions=several(closed("kind", kind={"enum": ["inSource", "external"]}, justification=TEXT), unique=True),
)
RUN = closed(
    "tool",
    tool=closed("driver", driver=closed("name", name=TEXT, version=TEXT, rules=several(RULE, unique=True))),
    invocations=several(closed("executionSuccessful", executionSuccessful={"type": "boolean"}, commandLine=TEXT)),
    results=several(RESULT),
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
)
LOG = closed(
    "version runs", **{"$schema": {"type": "string", "format": "uri"}}, version={"const": "2.1.0"}, runs=several(RUN)
)
