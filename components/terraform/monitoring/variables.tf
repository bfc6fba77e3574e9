variable "alarms" {
  description = "Alarms by name."
  type = map(object({
    metric     = string
    comparison = optional(string, "above")
    threshold  = number
    period     = optional(number, 300)
    severity   = optional(string, "warning")
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for alarm in var.alarms : contains(["info", "warning", "critical"], alarm.severity)])
    error_message = "Severity is info, warning or critical."
  }

  validation {
    condition     = alltrue([for alarm in var.alarms : contains(["above", "below"], alarm.comparison)])
    error_message = "An alarm compares above or below."
  }
}

variable "dashboards" {
  description = "Dashboards to build."
  type        = set(string)
  default     = ["overview"]
}

variable "alert_emails" {
  description = "Addresses that alerts go to."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.alert_emails : can(regex("^[^@ ]+@[^@ ]+$", address))])
    error_message = "Alerts go to e-mail addresses."
  }
}

variable "log_retention_days" {
  description = "Days that logs are kept."
  type        = number
  default     = 30

  validation {
    condition     = var.log_retention_days >= 1 && var.log_retention_days <= 3653
    error_message = "Logs are kept from 1 to 3653 days."
  }
}
