"""``nnctl schema``."""

from __future__ import annotations

from nnctl.console import output


def schema() -> None:
    """Print the JSON Schema of the YAML, for editors.

    Example: nnctl schema > nnctl.schema.json
    """
    from nnctl.spec.json_schema import json_schema

    output.write_json(json_schema())
