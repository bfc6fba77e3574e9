output "role_ids" {
  description = "Ids of the roles, by name."
  value       = { for name, role in terraform_data.role : name => role.id }
}

output "oidc_provider_ids" {
  description = "Ids of the OpenID Connect providers, by address."
  value       = { for url, provider in terraform_data.oidc_provider : url => provider.id }
}
