resource "terraform_data" "cluster" {
  count = var.enabled ? 1 : 0

  input = {
    name               = "${local.prefix}-ecs"
    container_insights = var.container_insights
    capacity_providers = var.capacity_providers
    tags               = var.tags
  }
}

resource "terraform_data" "service" {
  for_each = var.enabled ? var.services : {}

  input = {
    cluster_id    = one(terraform_data.cluster[*].id)
    name          = each.key
    image         = each.value.image
    cpu           = each.value.cpu
    memory        = each.value.memory
    desired_count = each.value.desired_count
    port          = each.value.port
    environment   = each.value.environment
    tags          = var.tags
  }
}
