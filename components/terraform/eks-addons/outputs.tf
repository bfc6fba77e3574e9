output "releases" {
  description = "Installed versions, by add-on."
  value       = { for name, release in terraform_data.release : name => var.addons[name].version }
}
