output "bucket_id" {
  description = "Id of the bucket; null when disabled."
  value       = one(terraform_data.bucket[*].id)
}

output "lock_table_id" {
  description = "Id of the lock table; null when disabled."
  value       = one(terraform_data.lock_table[*].id)
}
