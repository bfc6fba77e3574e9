resource "terraform_data" "platform" {
  count = var.enabled ? 1 : 0

  input = {
    name          = "${local.prefix}-idp"
    host_name     = var.host_name
    image_version = var.image_version
    web           = var.web
    workers       = var.worker_count
    sign_in       = var.sign_in
    features      = var.features
    tags          = var.tags
  }
}
