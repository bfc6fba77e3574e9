output "alarm_ids" {
  description = "Ids of the alarms, by name."
  value       = { for name, alarm in terraform_data.alarm : name => alarm.id }
}

output "log_group_id" {
  description = "Id of the log group; null when disabled."
  value       = one(terraform_data.log_group[*].id)
}
