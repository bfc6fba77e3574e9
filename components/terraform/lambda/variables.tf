variable "functions" {
  description = "Functions by name."
  type = map(object({
    handler     = optional(string, "main.handler")
    runtime     = optional(string, "python3.12")
    memory_size = optional(number, 256)
    timeout     = optional(number, 30)
    environment = optional(map(string), {})
    schedule    = optional(string)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for function in var.functions : contains(["python3.12", "python3.13", "nodejs22.x", "provided.al2023"], function.runtime)])
    error_message = "Runtimes are python3.12, python3.13, nodejs22.x and provided.al2023."
  }

  validation {
    condition     = alltrue([for function in var.functions : function.memory_size >= 128 && function.memory_size <= 10240])
    error_message = "Memory lies between 128 and 10240 MB."
  }

  validation {
    condition     = alltrue([for function in var.functions : function.timeout >= 1 && function.timeout <= 900])
    error_message = "A function runs from 1 to 900 seconds."
  }
}

variable "log_retention_days" {
  description = "Days that logs are kept."
  type        = number
  default     = 14

  validation {
    condition     = contains([1, 7, 14, 30, 90, 365], var.log_retention_days)
    error_message = "Logs are kept 1, 7, 14, 30, 90 or 365 days."
  }
}
