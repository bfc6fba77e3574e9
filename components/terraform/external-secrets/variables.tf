variable "chart_version" {
  description = "Version of the operator's chart."
  type        = string
  default     = "0.10.5"
}

variable "replicas" {
  description = "Replicas of the operator."
  type        = number
  default     = 1

  validation {
    condition     = var.replicas >= 1 && var.replicas <= 5
    error_message = "Run one to five replicas."
  }
}

variable "refresh_interval" {
  description = "How often secrets are read again, such as 1h."
  type        = string
  default     = "1h"

  validation {
    condition     = can(regex("^[0-9]+(s|m|h)$", var.refresh_interval))
    error_message = "An interval is a number with s, m or h."
  }
}

variable "stores" {
  description = "Stores by name: where secrets come from and who may use them."
  type = map(object({
    provider    = optional(string, "secretsmanager")
    path_prefix = string
    namespaces  = optional(set(string), [])
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for store in var.stores : contains(["secretsmanager", "parameterstore", "vault"], store.provider)])
    error_message = "A provider is secretsmanager, parameterstore or vault."
  }
}
