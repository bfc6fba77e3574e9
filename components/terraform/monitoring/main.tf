resource "terraform_data" "alarm" {
  for_each = var.enabled ? var.alarms : {}

  input = {
    name       = "${local.prefix}-${each.key}"
    metric     = each.value.metric
    comparison = each.value.comparison
    threshold  = each.value.threshold
    period     = each.value.period
    severity   = each.value.severity
    actions    = var.alert_emails
    tags       = var.tags
  }
}

resource "terraform_data" "dashboard" {
  for_each = var.enabled ? var.dashboards : toset([])

  input = {
    name = "${local.prefix}-${each.value}"
  }
}

resource "terraform_data" "log_group" {
  count = var.enabled ? 1 : 0

  input = {
    name           = "/${local.prefix}"
    retention_days = var.log_retention_days
    tags           = var.tags
  }
}
