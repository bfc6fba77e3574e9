"""The clean environment of a program: what it needs of the process' own, what the instance's `env` section says, nothing else.

The catalog's own secrets (database, tokens) never reach a program that runs an estate's code.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from catalog.executors.executor import Job

# Basics, certificates and proxies, and the credentials that providers and backends read.
_HANDED_ON = re.compile(
    r"PATH|HOME|USER|LOGNAME|LANG|LC_\w+|TZ|TMPDIR|SSH_AUTH_SOCK|GIT_SSH_COMMAND|SSL_CERT_(FILE|DIR)|(HTTPS?|NO|ALL)_PROXY"
    r"|(AWS|AZURE|ARM|GOOGLE|CLOUDSDK|GCLOUD|KUBE|VAULT|CONSUL|TFE|GITHUB|GITLAB|DATADOG|CLOUDFLARE|OCI|ALICLOUD)_\w+|KUBECONFIG"
    r"|TF_(TOKEN_\w+|PLUGIN_CACHE_DIR|LOG|LOG_PROVIDER|REGISTRY_\w+|VAR_\w+)",
    re.IGNORECASE,
)
# Ours to set: the instance's section may not move the data directory or choose another workspace.
_OURS = frozenset({"TF_DATA_DIR", "TF_WORKSPACE", "TF_IN_AUTOMATION", "TF_INPUT"})


def compose(job: Job, process: Mapping[str, str], data: Path) -> dict[str, str]:
    """Return the environment for a job's programs, with terraform's data directory at `data`."""
    handed_on = {name: value for name, value in process.items() if _HANDED_ON.fullmatch(name)}
    section = {name: _text(value) for name, value in job.env.items() if value is not None and name not in _OURS}
    ours = {"TF_DATA_DIR": str(data), "TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}
    return {"PATH": os.defpath, "HOME": str(data.parent), **handed_on, **section, **ours}


def _text(value: object) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
