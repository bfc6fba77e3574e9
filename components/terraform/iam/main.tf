resource "terraform_data" "role" {
  for_each = var.enabled ? var.roles : {}

  input = {
    name                 = "${local.prefix}-${each.key}"
    description          = each.value.description
    trusted_principals   = each.value.trusted_principals
    policies             = each.value.policies
    max_session_duration = each.value.max_session_duration
    permissions_boundary = var.permissions_boundary
    tags                 = var.tags
  }
}

resource "terraform_data" "password_policy" {
  count = var.enabled && var.password_policy != null ? 1 : 0

  input = var.password_policy
}

resource "terraform_data" "oidc_provider" {
  for_each = var.enabled ? var.oidc_provider_urls : toset([])

  input = {
    url  = each.value
    tags = var.tags
  }
}
