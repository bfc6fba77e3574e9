"""The worker: takes jobs from the queue and hands them to the indexer and to provisioning.

May import everything below `web | worker`. The decision that shaped it: a job only says what to look at. Losing one costs seconds
(the rows are looked through now and then), doing one twice costs nothing.
"""

from catalog.worker.run import run

__all__ = ["run"]
