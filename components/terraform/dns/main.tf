resource "terraform_data" "zone" {
  count = var.enabled ? 1 : 0

  input = {
    name         = var.zone_name
    private      = var.private_zone
    vpc_id       = var.private_zone ? var.vpc_id : null
    query_log    = var.query_logging_enabled
    tags         = var.tags
    delegated_by = var.parent_zone_name
  }
}

resource "terraform_data" "record" {
  for_each = var.enabled ? var.records : {}

  input = {
    zone_id = one(terraform_data.zone[*].id)
    name    = "${each.key}.${var.zone_name}"
    type    = each.value.type
    ttl     = each.value.ttl
    values  = each.value.values
  }
}
