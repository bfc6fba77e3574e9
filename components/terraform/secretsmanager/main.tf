resource "terraform_data" "entry" {
  for_each = var.enabled ? var.entries : {}

  input = {
    name            = "${var.path_prefix}/${each.key}"
    description     = each.value.description
    rotation_days   = each.value.rotation_days
    readers         = each.value.readers
    recovery_window = var.recovery_window_days
    tags            = var.tags
  }
}
