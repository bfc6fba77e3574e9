resource "terraform_data" "instance" {
  for_each = var.enabled ? var.instances : {}

  input = {
    name          = "${local.prefix}-${each.key}"
    image         = var.image
    instance_type = each.value.instance_type
    public        = each.value.public
    root_volume   = each.value.root_volume
    schedule      = each.value.schedule
    tags          = merge(var.tags, { Name = "${local.prefix}-${each.key}" })
  }
}
