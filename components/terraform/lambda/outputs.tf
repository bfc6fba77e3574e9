output "function_ids" {
  description = "Ids of the functions, by name."
  value       = { for name, function in terraform_data.function : name => function.id }
}
