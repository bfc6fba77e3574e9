output "api_id" {
  description = "Id of the API; null when disabled."
  value       = one(terraform_data.api[*].id)
}

output "routes" {
  description = "Routes that the API answers."
  value       = keys(terraform_data.route)
}
