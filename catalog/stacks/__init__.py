"""The resolver: YAML manifests in, resolved stacks out, exactly as Atmos resolves them.

Pure: it reads trees of files and values it is handed, and nothing else: no clock, network, database, process or environment.
It may import `errors`, `values` and `engines` only. The decision that shaped it: values stay plain dicts, lists and scalars, shared and
never mutated, and where they come from (file, line, layer) lies beside them, worked out only when asked.

The way through: `tree` → `atmos_config` (`config_files`, `decoding`) → `discovery` → `sources` (`documents`, `includes`) → `file_pass`
(`locals`, `contexts`) → `manifests` (`imports`, `import_paths`, `override_scopes`) → `roots`, `inheritance`, `components` (layers by the
table in `sections`) → `naming` → `stack_files` → `validation` (`schema`) → `evaluation` (`component_pass`, `functions`, `deferred`) →
`assembly` (`edges`) → `describe`.
`estate.resolve` walks it; `incremental` tells what of an older reading still holds. Whatever text asks of the world outside goes
through the `lookup` that the caller hands in. `documents.load` reads YAML for every room above, `editor.set_value` edits it.
"""
