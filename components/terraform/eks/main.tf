resource "terraform_data" "cluster" {
  count = var.enabled ? 1 : 0

  input = {
    name                   = coalesce(var.cluster_name, "${local.prefix}-eks")
    version                = var.kubernetes_version
    subnet_ids             = var.subnet_ids
    endpoint_public_access = var.endpoint_public_access
    log_types              = var.enabled_log_types
    tags                   = var.tags
  }
}

resource "terraform_data" "node_group" {
  for_each = var.enabled ? var.node_groups : {}

  input = {
    cluster_id     = one(terraform_data.cluster[*].id)
    name           = each.key
    instance_types = each.value.instance_types
    capacity_type  = each.value.capacity_type
    min_size       = each.value.min_size
    desired_size   = coalesce(each.value.desired_size, each.value.min_size)
    max_size       = each.value.max_size
    disk_size      = each.value.disk_size
    labels         = each.value.labels
    tags           = var.tags
  }
}
