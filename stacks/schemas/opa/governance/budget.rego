# METADATA
# title: A team stays within its budget
# description: What a request adds a month fits into what is left of the team's budget. Amounts are whole cents.
# custom: {points: [REQUEST, PLAN]}
package governance.budget

deny contains sprintf("it adds %v %s a month, and %v are left of the budget", [money(added), input.budget.currency, money(left)]) if {
	added > 0
	added > left
}

warn contains "the team has no budget to hold it to" if {
	is_null(object.get(input, "budget", null))
	added > 0
}

warn contains sprintf("nobody knows what %d of the affected instances cost", [input.cost.unknown]) if input.cost.unknown > 0

added := input.cost.delta.cents

left := input.budget.left_cents

money(cents) := sprintf("%s%d.%02d", [sign(cents), floor(abs(cents) / 100), abs(cents) % 100])

sign(cents) := "-" if cents < 0

sign(cents) := "" if cents >= 0
