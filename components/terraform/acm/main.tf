resource "terraform_data" "certificate" {
  for_each = var.enabled ? var.certificates : {}

  input = {
    domain_name               = each.value.domain_name
    subject_alternative_names = each.value.subject_alternative_names
    validation_method         = var.validation_method
    key_algorithm             = var.key_algorithm
    tags                      = var.tags
  }

  # A new number is a new certificate, issued before the old one goes.
  triggers_replace = [var.rotation]

  lifecycle {
    create_before_destroy = true
  }
}
