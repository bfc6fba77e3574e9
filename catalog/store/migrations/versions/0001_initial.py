"""Everything the first release needs: the records, the news of changed access, sums of costs, events, search, and pgqueuer's tables."""

from pathlib import Path
from typing import Any

from alembic import op

revision = "0001"
down_revision = None

_HERE = Path(__file__).parent


def upgrade() -> None:
    for name in (
        "0001_initial.sql",
        "0001_access.sql",
        "0001_audit.sql",
        "0001_costs.sql",
        "0001_cost_totals.sql",
        "0001_events.sql",
        "0001_search.sql",
        "0001_pgqueuer.sql",
        "0001_visibility.sql",
        "0001_report.sql",
    ):
        sql = (_HERE / name).read_text(encoding="utf-8")
        # Many statements in one round trip: through the driver, in the transaction that is open.
        adapted: Any = op.get_bind().connection.dbapi_connection
        adapted.run_async(lambda connection, sql=sql: connection.execute(sql))
