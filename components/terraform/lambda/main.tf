resource "terraform_data" "function" {
  for_each = var.enabled ? var.functions : {}

  input = {
    name        = "${local.prefix}-${each.key}"
    handler     = each.value.handler
    runtime     = each.value.runtime
    memory_size = each.value.memory_size
    timeout     = each.value.timeout
    environment = each.value.environment
    tags        = var.tags
  }
}

resource "terraform_data" "schedule" {
  for_each = var.enabled ? { for name, function in var.functions : name => function.schedule if function.schedule != null } : {}

  input = {
    function_id = terraform_data.function[each.key].id
    expression  = each.value
  }
}
