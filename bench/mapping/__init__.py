"""One mapping of records done in many ways, a way a file: PACKAGES, and `mapper()`, which takes and gives JSON text."""

__all__ = ["BUDGETED", "BY_HAND", "JMESPATH", "NAMES", "OURS", "STRICT", "WAYS"]

OURS, STRICT, BY_HAND = "ours", "ours_strict", "by_hand"
BUDGETED, JMESPATH = "ours_jmespath", "jmespath_alone"
NAMES = {
    OURS: "openai-connector, five steps",
    STRICT: "the same, with the strict JSON of its commands",
    BY_HAND: "Python by hand",
    BUDGETED: "openai-connector, one JMESPath expression with its budget",
    JMESPATH: "jmespath, the same expression",
    "jsonata_alone": "jsonata-python, one expression",
    "dlt_map": "dlt, a resource with add_map (Python by hand)",
    "airbyte": "Airbyte CDK, AddFields and RemoveFields",
}
WAYS = tuple(NAMES)
