resource "terraform_data" "api" {
  count = var.enabled ? 1 : 0

  input = {
    name        = coalesce(var.api_name, "${local.prefix}-api")
    protocol    = var.protocol
    domain_name = var.domain_name
    cors        = var.cors
    throttling  = var.throttling
    tags        = var.tags
  }
}

resource "terraform_data" "route" {
  for_each = var.enabled ? var.routes : {}

  input = {
    api_id        = one(terraform_data.api[*].id)
    route         = each.key
    target        = each.value.target
    authorization = each.value.authorization
  }
}
