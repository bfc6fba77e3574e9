# METADATA
# title: Production stands still when the calendar says so
# description: No change is requested or applied in production within a freeze.
# custom: {points: [REQUEST, APPLY]}
package governance.freeze

deny contains sprintf("production stands still until %s: %s", [freeze.until, freeze.reason]) if {
	input.stage in data.settings.production
	some freeze in data.settings.freezes
	now := time.parse_rfc3339_ns(input.now)
	now >= time.parse_rfc3339_ns(freeze.from)
	now < time.parse_rfc3339_ns(freeze.until)
}
