resource "terraform_data" "release" {
  for_each = var.enabled ? { for name, addon in var.addons : name => addon if addon.enabled } : {}

  input = {
    cluster   = var.cluster_name
    name      = each.key
    namespace = each.value.namespace
    chart     = coalesce(each.value.chart, each.key)
    version   = each.value.version
    values    = each.value.values
    tags      = var.tags
  }
}
