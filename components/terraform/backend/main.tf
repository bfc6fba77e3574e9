resource "terraform_data" "bucket" {
  count = var.enabled ? 1 : 0

  input = {
    name                    = coalesce(var.bucket_name, "${local.prefix}-terraform-state")
    versioning              = true
    force_destroy           = var.force_destroy
    noncurrent_version_days = var.noncurrent_version_days
    replication_region      = var.replication_region
    tags                    = var.tags
  }
}

resource "terraform_data" "lock_table" {
  count = var.enabled ? 1 : 0

  input = {
    name                   = "${local.prefix}-terraform-locks"
    billing_mode           = var.lock_table_billing_mode
    point_in_time_recovery = true
    tags                   = var.tags
  }
}
