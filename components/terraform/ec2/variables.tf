variable "image" {
  description = "Machine image, by alias."
  type        = string
  default     = "al2023-arm64"
}

variable "instances" {
  description = "Machines by name."
  type = map(object({
    instance_type = optional(string, "t4g.small")
    public        = optional(bool, false)
    root_volume = optional(object({
      size      = optional(number, 20)
      encrypted = optional(bool, true)
    }), {})
    schedule = optional(string, "always")
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for instance in var.instances : instance.root_volume.size >= 8 && instance.root_volume.size <= 1000])
    error_message = "Root volumes have 8 to 1000 GiB."
  }

  validation {
    condition     = alltrue([for instance in var.instances : contains(["always", "office-hours", "on-demand"], instance.schedule)])
    error_message = "A schedule is always, office-hours or on-demand."
  }
}
