package governance.ingress_test

import data.governance.ingress

settings := {"public_ports": [443]}

group(rule) := {"vars": {"security_groups": {"web": {"ingress": [rule]}}}}

test_a_public_port_may_be_open if {
	count(ingress.deny) == 0 with input as group({"from_port": 443, "cidr_blocks": ["0.0.0.0/0"]})
		with data.settings as settings
}

test_another_port_may_not if {
	ingress.deny == {"web is open to everybody on port 22"} with input as group({"from_port": 22, "cidr_blocks": ["0.0.0.0/0"]})
		with data.settings as settings
}

test_a_range_that_begins_at_a_public_port_may_not if {
	count(ingress.deny) == 1 with input as group({"from_port": 443, "to_port": 9000, "cidr_blocks": ["::/0"]})
		with data.settings as settings
}

test_a_private_network_may_reach_everything if {
	count(ingress.deny) == 0 with input as group({"from_port": 0, "to_port": 65535, "cidr_blocks": ["10.0.0.0/8"]})
		with data.settings as settings
}

test_a_planned_rule_is_seen if {
	ingress.deny == {"aws_vpc_security_group_ingress_rule.ssh is open to everybody on port 22"} with input as {"plan": {"resource_changes": [{
		"address": "aws_vpc_security_group_ingress_rule.ssh",
		"type": "aws_vpc_security_group_ingress_rule",
		"change": {"after": {"cidr_ipv4": "0.0.0.0/0", "from_port": 22, "to_port": 22}},
	}]}}
		with data.settings as settings
}
