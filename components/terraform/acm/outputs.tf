output "certificate_ids" {
  description = "Ids of the certificates, by name."
  value       = { for name, certificate in terraform_data.certificate : name => certificate.id }
}
