resource "terraform_data" "operator" {
  count = var.enabled ? 1 : 0

  input = {
    chart_version    = var.chart_version
    replicas         = var.replicas
    refresh_interval = var.refresh_interval
    tags             = var.tags
  }
}

resource "terraform_data" "store" {
  for_each = var.enabled ? var.stores : {}

  input = {
    operator_id = one(terraform_data.operator[*].id)
    name        = each.key
    provider    = each.value.provider
    path_prefix = each.value.path_prefix
    namespaces  = each.value.namespaces
  }
}
