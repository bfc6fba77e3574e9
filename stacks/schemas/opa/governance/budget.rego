# METADATA
# title: A team stays within its budget
# description: What a request adds a month fits into what is left of the team's budget. Amounts are whole cents of its currency.
# custom: {points: [REQUEST]}
package governance.budget

deny contains sprintf("it adds %s a month, and %s are left of the budget", [money(added), money(left)]) if {
	added > 0
	added > left
}

warn contains "the team has no budget to hold it to" if {
	is_null(input.budget)
	input.cost.delta.cents > 0
}

warn contains "nobody knows what is left of the team's budget" if is_null(input.budget.left_cents)

warn contains "nobody knows what it adds" if is_null(input.cost.delta)

added := input.budget.requested_cents if is_number(input.budget.requested_cents)

left := input.budget.left_cents if is_number(input.budget.left_cents)

money(cents) := sprintf("%s%d.%02d %s", [sign(cents), floor(abs(cents) / 100), abs(cents) % 100, input.budget.currency])

sign(cents) := "-" if cents < 0

sign(cents) := "" if cents >= 0
