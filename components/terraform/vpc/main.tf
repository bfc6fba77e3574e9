locals {
  zones = slice(var.availability_zones, 0, min(length(var.availability_zones), var.max_zones))

  # Four more bits give sixteen equal parts: the lower eight are private, the upper eight public.
  private_subnets = { for index, zone in local.zones : zone => cidrsubnet(var.cidr_block, 4, index) }
  public_subnets  = { for index, zone in local.zones : zone => cidrsubnet(var.cidr_block, 4, index + 8) }

  nat_zones = {
    none     = []
    single   = slice(local.zones, 0, 1)
    per_zone = local.zones
  }
}

resource "terraform_data" "vpc" {
  count = var.enabled ? 1 : 0

  input = {
    name                 = coalesce(var.name, "${local.prefix}-vpc")
    cidr_block           = var.cidr_block
    enable_dns_hostnames = var.enable_dns_hostnames
    tags                 = var.tags
  }
}

resource "terraform_data" "private_subnet" {
  for_each = var.enabled ? local.private_subnets : {}

  input = {
    vpc_id            = one(terraform_data.vpc[*].id)
    availability_zone = each.key
    cidr_block        = each.value
    tags              = merge(var.tags, { Tier = "private" })
  }
}

resource "terraform_data" "public_subnet" {
  for_each = var.enabled && var.public_subnets_enabled ? local.public_subnets : {}

  input = {
    vpc_id            = one(terraform_data.vpc[*].id)
    availability_zone = each.key
    cidr_block        = each.value
    tags              = merge(var.tags, { Tier = "public" })
  }
}

resource "terraform_data" "nat_gateway" {
  for_each = var.enabled ? toset(local.nat_zones[var.nat_gateway_strategy]) : toset([])

  input = {
    subnet_id = try(terraform_data.public_subnet[each.key].id, null)
    tags      = var.tags
  }
}

resource "terraform_data" "flow_log" {
  count = var.enabled && var.flow_logs.enabled ? 1 : 0

  input = {
    vpc_id         = one(terraform_data.vpc[*].id)
    traffic_type   = var.flow_logs.traffic_type
    retention_days = var.flow_logs.retention_days
  }
}
