"""YAML as plain JSON values, bounded in size, depth and what aliases multiply: the one reader there is."""

from connector.yaml.document import Spot, YamlDocument, YamlFault
from connector.yaml.limits import API_DOCUMENT, CONFIGURATION, DECLARATIONS, Limits
from connector.yaml.reading import read_document, read_yaml

__all__ = [
    "API_DOCUMENT",
    "CONFIGURATION",
    "DECLARATIONS",
    "Limits",
    "Spot",
    "YamlDocument",
    "YamlFault",
    "read_document",
    "read_yaml",
]
