output "cluster_id" {
  description = "Id of the cluster; null when disabled."
  value       = one(terraform_data.cluster[*].id)
}

output "cluster_version" {
  description = "Version of Kubernetes that runs."
  value       = var.kubernetes_version
}

output "node_group_ids" {
  description = "Ids of the node groups, by name."
  value       = { for name, group in terraform_data.node_group : name => group.id }
}
