output "instance_ids" {
  description = "Ids of the machines, by name."
  value       = { for name, instance in terraform_data.instance : name => instance.id }
}
