output "security_group_ids" {
  description = "Ids of the groups, by name."
  value       = { for name, group in terraform_data.security_group : name => group.id }
}

output "rule_count" {
  description = "Number of ingress rules."
  value       = length(terraform_data.ingress)
}
