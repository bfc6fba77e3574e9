# METADATA
# title: Nothing of production is destroyed on one person's word
# description: What destroys in production, or deletes or replaces what runs there, needs two approvals.
# custom: {points: [APPROVAL, APPLY]}
package governance.destruction

deny contains sprintf("it destroys in production with %d of 2 approvals", [count(approvers)]) if {
	input.stage in data.settings.production
	destroys
	count(approvers) < 2
}

destroys if input.action in {"DESTROY_COMPONENT", "DECOMMISSION_SERVICE"}

destroys if {
	some change in input.plan.resource_changes
	"delete" in change.change.actions
}

approvers contains approval.approver if some approval in input.approvals
