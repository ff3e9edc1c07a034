"""YAML as plain JSON values, bounded in size, depth and what aliases multiply: the one reader there is."""

from connector.yaml.document import API_DOCUMENT, CONFIGURATION, DECLARATIONS, Limits, Position, YamlDocument, YamlFault
from connector.yaml.reader import read_document, read_yaml

__all__ = [
    "API_DOCUMENT",
    "CONFIGURATION",
    "DECLARATIONS",
    "Limits",
    "Position",
    "YamlDocument",
    "YamlFault",
    "read_document",
    "read_yaml",
]
