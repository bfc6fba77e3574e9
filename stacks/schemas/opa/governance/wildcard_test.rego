package governance.wildcard_test

import data.governance.wildcard

test_everything_on_everything_is_refused if {
	wildcard.deny == {"a statement allows * on *"} with input as {"vars": {"policy": {"Effect": "Allow", "Action": "*", "Resource": "*"}}}
}

test_a_service_on_everything_is_refused if {
	wildcard.deny == {"a statement allows iam:* on *"} with input as {"vars": {"statements": [{"actions": ["iam:*"], "resources": ["*"]}]}}
}

test_named_actions_are_fine if {
	count(wildcard.deny) == 0 with input as {"vars": {"statements": [{"actions": ["s3:GetObject"], "resources": ["*"]}]}}
}

test_a_denial_of_everything_is_fine if {
	count(wildcard.deny) == 0 with input as {"vars": {"s": {"Effect": "Deny", "Action": "*", "Resource": "*"}}}
}

test_a_planned_document_is_read if {
	count(wildcard.deny) == 1 with input as {"plan": {"resource_changes": [{"change": {"after": {"policy": json.marshal({"Statement": {
		"Effect": "Allow",
		"Action": "*",
		"Resource": "*",
	}})}}}]}}
}
