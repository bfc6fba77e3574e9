package governance.destruction_test

import data.governance.destruction

settings := {"production": ["prod"]}

asked(stage, approvers) := {"action": "DESTROY_COMPONENT", "stage": stage, "approvals": [{"approver": name} | some name in approvers]}

test_one_is_not_enough if count(destruction.deny) == 1 with input as asked("prod", ["ann"]) with data.settings as settings

test_the_same_person_twice_is_one if count(destruction.deny) == 1 with input as asked("prod", ["ann", "ann"]) with data.settings as settings

test_two_are if count(destruction.deny) == 0 with input as asked("prod", ["ann", "ben"]) with data.settings as settings

test_elsewhere_one_is_enough if count(destruction.deny) == 0 with input as asked("dev", ["ann"]) with data.settings as settings

test_a_replacement_counts if {
	count(destruction.deny) == 1 with input as {
		"action": "APPLY_COMPONENT",
		"stage": "prod",
		"approvals": [{"approver": "ann"}],
		"plan": {"resource_changes": [{"change": {"actions": ["delete", "create"]}}]},
	}
		with data.settings as settings
}
