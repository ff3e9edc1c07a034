"""One mapping of records done in many ways, a way a file: PACKAGES, and `mapper()`, which takes and gives JSON text."""

__all__ = ["BY_HAND", "NAMES", "OURS", "STRICT", "WAYS"]

OURS, STRICT, BY_HAND = "ours", "ours_strict", "by_hand"
NAMES = {
    OURS: "openai-connector, five steps",
    STRICT: "the same, with the strict JSON of its commands",
    BY_HAND: "Python by hand",
    "jmespath_alone": "jmespath, one expression",
    "jsonata_alone": "jsonata-python, one expression",
    "dlt_map": "dlt, a resource with add_map (Python by hand)",
    "airbyte": "Airbyte CDK, AddFields and RemoveFields",
}
WAYS = tuple(NAMES)
