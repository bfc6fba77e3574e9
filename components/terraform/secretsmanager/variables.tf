variable "path_prefix" {
  description = "Path that every entry lies below."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9-]+(/[a-z0-9-]+)*$", var.path_prefix))
    error_message = "A path is lower-case words joined by slashes, without a leading one."
  }
}

variable "entries" {
  description = "Entries by name."
  type = map(object({
    description   = optional(string, "")
    rotation_days = optional(number)
    readers       = optional(set(string), [])
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for entry in var.entries : entry.rotation_days == null ? true : entry.rotation_days >= 1 && entry.rotation_days <= 365])
    error_message = "Entries rotate every 1 to 365 days."
  }
}

variable "recovery_window_days" {
  description = "Days that a deleted entry can be brought back; 0 deletes at once."
  type        = number
  default     = 30

  validation {
    condition     = var.recovery_window_days == 0 || (var.recovery_window_days >= 7 && var.recovery_window_days <= 30)
    error_message = "The window is 0, or 7 to 30 days."
  }
}

variable "bootstrap_values" {
  description = "First values by entry, handed in at run time."
  type        = map(string)
  default     = {}
  sensitive   = true
}
