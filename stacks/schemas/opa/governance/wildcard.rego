# METADATA
# title: Nobody may do everything
# description: No statement of an IAM policy allows every action, or every action of a service on every resource.
# custom: {points: [REQUEST, PLAN, INDEX]}
package governance.wildcard

deny contains sprintf("a statement allows %s on %s", [action, resource]) if {
	some statement in statements
	lower(field(statement, "effect", "Allow")) == "allow"
	some action in listed(field(statement, "action", field(statement, "actions", [])))
	some resource in listed(field(statement, "resource", field(statement, "resources", [])))
	resource == "*"
	endswith(action, "*")
	regex.match(`^(\*|[a-z0-9-]+:\*)$`, lower(action))
}

# Statements anywhere in the variables, under either spelling of their fields.
statements contains entry if {
	walk(input.vars, [_, entry])
	is_object(entry)
	some name in object.keys(entry)
	lower(name) in {"action", "actions"}
}

# Statements of the documents that terraform plans.
statements contains entry if {
	some change in input.plan.resource_changes
	text := change.change.after.policy
	json.is_valid(text)
	some entry in listed(json.unmarshal(text).Statement)
}

field(entry, name, default_value) := value if {
	some key, value in entry
	lower(key) == name
} else := default_value

listed(value) := value if is_array(value)

listed(value) := [value] if not is_array(value)
