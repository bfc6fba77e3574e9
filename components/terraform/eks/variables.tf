variable "cluster_name" {
  description = "Name of the cluster; null derives it from the context."
  type        = string
  default     = null
}

variable "kubernetes_version" {
  description = "Minor version of Kubernetes."
  type        = string
  default     = "1.31"

  validation {
    condition     = contains(["1.29", "1.30", "1.31", "1.32"], var.kubernetes_version)
    error_message = "Supported versions are 1.29 to 1.32."
  }
}

variable "subnet_ids" {
  description = "Subnets of the nodes; empty takes the VPC's private ones."
  type        = set(string)
  default     = []
}

variable "endpoint_public_access" {
  description = "Whether the API answers outside of the VPC."
  type        = bool
  default     = false
}

variable "enabled_log_types" {
  description = "Control plane logs to keep."
  type        = set(string)
  default     = ["api", "audit"]

  validation {
    condition     = alltrue([for kind in var.enabled_log_types : contains(["api", "audit", "authenticator", "controllerManager", "scheduler"], kind)])
    error_message = "Log types are api, audit, authenticator, controllerManager and scheduler."
  }
}

variable "node_groups" {
  description = "Node groups by name."
  type = map(object({
    instance_types = optional(list(string), ["t3.large"])
    capacity_type  = optional(string, "ON_DEMAND")
    min_size       = optional(number, 1)
    desired_size   = optional(number)
    max_size       = optional(number, 3)
    disk_size      = optional(number, 50)
    labels         = optional(map(string), {})
  }))
  default  = { default = {} }
  nullable = false

  validation {
    condition     = alltrue([for group in var.node_groups : group.min_size <= group.max_size && group.max_size <= 100])
    error_message = "A group has at least min_size and at most max_size nodes, and never more than 100."
  }

  validation {
    condition     = alltrue([for group in var.node_groups : contains(["ON_DEMAND", "SPOT"], group.capacity_type)])
    error_message = "Capacity is ON_DEMAND or SPOT."
  }
}
