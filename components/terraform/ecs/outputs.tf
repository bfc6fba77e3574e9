output "cluster_id" {
  description = "Id of the cluster; null when disabled."
  value       = one(terraform_data.cluster[*].id)
}

output "service_ids" {
  description = "Ids of the services, by name."
  value       = { for name, service in terraform_data.service : name => service.id }
}
