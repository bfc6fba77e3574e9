output "entry_ids" {
  description = "Ids of the entries, by name."
  value       = { for name, entry in terraform_data.entry : name => entry.id }
}
