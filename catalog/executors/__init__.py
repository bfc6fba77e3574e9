"""Executors change the world for one component instance: plan, and apply what was approved.

May import the rooms below `executors`. A protocol (`executor`), the real one (`terraform`, which takes tofu too) and the shipped
fake (`dry_run`, also used, visibly, where there is no program). The decision that shaped the room: every program runs under a small
guard process that ends it gently when the worker asks for it or dies, so that killing a worker loses no state.
"""

from __future__ import annotations

from catalog.executors.choice import choose
from catalog.executors.dry_run import DryRun
from catalog.executors.executor import Applied, Approved, Executor, Job, LogSink, Plan
from catalog.executors.supervise import Identity, is_alive
from catalog.executors.terraform import Terraform

__all__ = ["Applied", "Approved", "DryRun", "Executor", "Identity", "Job", "LogSink", "Plan", "Terraform", "choose", "is_alive"]
