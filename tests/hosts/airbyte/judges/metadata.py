"""Whether Airbyte's own models take the `metadata.yaml` files that are named, and what its tools read of them."""

import json
import sys
from pathlib import Path

import yaml
from airbyte_cdk.models.connector_metadata import MetadataFile
from airbyte_connector_models.metadata.v0.connector_metadata_definition_v0 import ConnectorMetadataDefinitionV0

found = []
for name in sys.argv[1:]:
    ConnectorMetadataDefinitionV0.model_validate(yaml.safe_load(Path(name).read_text()))
    read = MetadataFile.from_file(Path(name)).data
    found.append([read.dockerRepository, read.dockerImageTag, read.language.value])
sys.stdout.write(json.dumps(found))
