# METADATA
# title: Somebody owns it, and its tags say what it is
# description: Everything has an owning team, and the tags by which costs and people find it.
# custom: {points: [REQUEST, INDEX]}
package governance.ownership

deny contains "nobody owns it: name a team in metadata or tags" if not owned

deny contains sprintf("the tag %s is missing", [tag]) if {
	some tag in data.settings.required_tags
	object.get(tags, tag, "") == ""
}

owned if is_string(input.team)

default tags := {}

tags := input.vars.tags if is_object(input.vars.tags)
