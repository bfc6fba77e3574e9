"""The resolver: YAML manifests in, resolved stacks out, exactly as Atmos resolves them.

Pure: it reads trees of files and values it is handed, and nothing else: no clock, network, database, process or environment.
It may import `errors` and `values` only. The decision that shaped it: values stay plain dicts, lists and scalars, shared and
never mutated, and where they come from (file, line, layer) lies beside them, worked out only when asked.

The way through: `tree` → `config` → `discovery` → `documents` → `manifests` (imports) → `components` (layers, inheritance)
→ `naming` → `estate` (everything together) → `describe`.
"""
