package governance.freeze_test

import data.governance.freeze

settings := {"production": ["prod"], "freezes": [{"from": "2026-12-18T18:00:00Z", "until": "2027-01-04T08:00:00Z", "reason": "turn of the year"}]}

asked(stage, now) := {"stage": stage, "now": now}

test_before if count(freeze.deny) == 0 with input as asked("prod", "2026-12-18T17:59:59Z") with data.settings as settings

test_within if {
	freeze.deny == {"production stands still until 2027-01-04T08:00:00Z: turn of the year"} with input as asked("prod", "2026-12-18T18:00:00Z")
		with data.settings as settings
}

test_after if count(freeze.deny) == 0 with input as asked("prod", "2027-01-04T08:00:00+00:00") with data.settings as settings

test_elsewhere if count(freeze.deny) == 0 with input as asked("dev", "2026-12-20T12:00:00Z") with data.settings as settings
