resource "terraform_data" "instance" {
  count = var.enabled ? 1 : 0

  input = {
    identifier              = coalesce(var.identifier, "${local.prefix}-db")
    engine                  = var.engine
    engine_version          = var.engine_version
    instance_class          = var.instance_class
    allocated_storage       = var.storage.allocated
    max_allocated_storage   = var.storage.max_allocated
    storage_type            = var.storage.type
    multi_az                = var.multi_az
    backup_retention_period = var.backup_retention_period
    deletion_protection     = var.deletion_protection
    parameters              = var.parameters
    master_username         = var.master_username
    master_secret_name      = var.master_secret_name
    source                  = var.replicate_source
    tags                    = var.tags
  }
}

resource "terraform_data" "master_password" {
  count = var.enabled && var.master_password != null ? 1 : 0

  # Only that it changed is kept; the password itself goes to the service.
  triggers_replace = [sha256(var.master_password)]
}

resource "terraform_data" "database" {
  for_each = var.enabled ? var.databases : toset([])

  input = {
    instance_id = one(terraform_data.instance[*].id)
    name        = each.value
  }
}
