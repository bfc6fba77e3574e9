output "zone_id" {
  description = "Id of the zone; null when disabled."
  value       = one(terraform_data.zone[*].id)
}

output "zone_name" {
  description = "Domain of the zone."
  value       = var.zone_name
}

output "record_names" {
  description = "Full names of the records."
  value       = [for name, record in var.records : "${name}.${var.zone_name}"]
}
