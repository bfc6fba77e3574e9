# METADATA
# title: The internet reaches public ports only
# description: No rule lets in everybody (0.0.0.0/0, ::/0) on other ports than those that are public.
# custom: {points: [REQUEST, PLAN, INDEX]}
package governance.ingress

deny contains sprintf("%s is open to everybody on port %v", [open.name, open.port]) if some open in opened

everybody := {"0.0.0.0/0", "::/0"}

public(from, to) if {
	from == to
	from in data.settings.public_ports
}

# As a request or the index shows it: groups with rules in the variables.
opened contains {"name": name, "port": rule.from_port} if {
	some name, group in input.vars.security_groups
	some rule in group.ingress
	some cidr in rule.cidr_blocks
	cidr in everybody
	not public(rule.from_port, object.get(rule, "to_port", rule.from_port))
}

# As terraform plans it.
opened contains {"name": change.address, "port": rule.from_port} if {
	some change in input.plan.resource_changes
	change.type == "aws_security_group"
	some rule in change.change.after.ingress
	some cidr in rule.cidr_blocks
	cidr in everybody
	not public(rule.from_port, rule.to_port)
}

opened contains {"name": change.address, "port": change.change.after.from_port} if {
	some change in input.plan.resource_changes
	change.type == "aws_security_group_rule"
	change.change.after.type == "ingress"
	some cidr in change.change.after.cidr_blocks
	cidr in everybody
	not public(change.change.after.from_port, change.change.after.to_port)
}

opened contains {"name": change.address, "port": object.get(change.change.after, "from_port", "any")} if {
	some change in input.plan.resource_changes
	change.type == "aws_vpc_security_group_ingress_rule"
	some field in ["cidr_ipv4", "cidr_ipv6"]
	change.change.after[field] in everybody
	not public(object.get(change.change.after, "from_port", -1), object.get(change.change.after, "to_port", -1))
}
