output "platform_id" {
  description = "Id of the platform; null when disabled."
  value       = one(terraform_data.platform[*].id)
}

output "url" {
  description = "Where the platform answers."
  value       = "https://${var.host_name}"
}
