output "store_names" {
  description = "Names of the stores."
  value       = keys(terraform_data.store)
}
