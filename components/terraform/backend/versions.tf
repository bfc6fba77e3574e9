terraform {
  # optional() with defaults, and terraform_data, which stands in for the provider's resources.
  required_version = ">= 1.5.0"
}
