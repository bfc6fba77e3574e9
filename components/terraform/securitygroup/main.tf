locals {
  rules = merge([
    for group, definition in var.security_groups : {
      for index, rule in definition.ingress : "${group}/${index}" => merge(rule, { group = group })
    }
  ]...)
}

resource "terraform_data" "security_group" {
  for_each = var.enabled ? var.security_groups : {}

  input = {
    name        = "${local.prefix}-${each.key}"
    description = each.value.description
    egress      = each.value.egress_cidr_blocks
    tags        = var.tags
  }
}

resource "terraform_data" "ingress" {
  for_each = var.enabled ? local.rules : {}

  input = {
    security_group_id = terraform_data.security_group[each.value.group].id
    protocol          = each.value.protocol
    from_port         = each.value.from_port
    to_port           = coalesce(each.value.to_port, each.value.from_port)
    cidr_blocks       = each.value.cidr_blocks
  }
}
