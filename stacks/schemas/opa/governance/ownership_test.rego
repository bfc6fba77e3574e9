package governance.ownership_test

import data.governance.ownership

settings := {"required_tags": ["Stage", "Tenant"]}

test_tagged_and_owned if {
	count(ownership.deny) == 0 with input as {"team": "web", "vars": {"tags": {"Stage": "dev", "Tenant": "plat"}}}
		with data.settings as settings
}

test_without_owner if {
	ownership.deny == {"nobody owns it: name a team in metadata or tags"} with input as {
		"team": null,
		"vars": {"tags": {"Stage": "dev", "Tenant": "plat"}},
	}
		with data.settings as settings
}

test_each_missing_tag_is_named if {
	ownership.deny == {"the tag Stage is missing", "the tag Tenant is missing"} with input as {"team": "web", "vars": {}}
		with data.settings as settings
}
