output "instance_id" {
  description = "Id of the server; null when disabled."
  value       = one(terraform_data.instance[*].id)
}

output "database_ids" {
  description = "Ids of the databases, by name."
  value       = { for name, database in terraform_data.database : name => database.id }
}

output "connection" {
  description = "How to connect, without the password."
  value = {
    username    = var.master_username
    secret_name = var.master_secret_name
  }
}
