package governance.budget_test

import data.governance.budget

asked(added, left) := {
	"cost": {"delta": {"cents": added}, "unknown": 0},
	"budget": {"left_cents": left, "requested_cents": added, "currency": "USD"},
}

test_within if count(budget.deny) == 0 with input as asked(10000, 10000)

test_beyond if {
	budget.deny == {"it adds 100.01 USD a month, and 100.00 USD are left of the budget"} with input as asked(10001, 10000)
}

test_overdrawn if {
	budget.deny == {"it adds 0.01 USD a month, and -5.50 USD are left of the budget"} with input as asked(1, -550)
}

test_cheaper_is_always_fine if count(budget.deny) == 0 with input as asked(-500, -10000)

test_no_budget_warns if {
	budget.warn == {"the team has no budget to hold it to"} with input as {"cost": {"delta": {"cents": 1}}, "budget": null}
}

test_unknown_is_no_zero if {
	budget.warn == {"nobody knows what is left of the team's budget"} with input as asked(1, null)
	count(budget.deny) == 0 with input as asked(1, null)
}

test_unknown_cost_warns if count(budget.warn) == 1 with input as {"cost": {"delta": null}, "budget": {"left_cents": 1}}
