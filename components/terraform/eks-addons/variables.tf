variable "cluster_name" {
  description = "Cluster to install into; null takes the stack's own."
  type        = string
  default     = null
}

variable "addons" {
  description = "Add-ons by name."
  type = map(object({
    enabled   = optional(bool, true)
    chart     = optional(string)
    version   = string
    namespace = optional(string, "kube-system")
    values    = optional(map(string), {})
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for addon in var.addons : can(regex("^[0-9]+\\.[0-9]+\\.[0-9]+$", addon.version))])
    error_message = "Versions are exact, such as 1.19.2."
  }
}
