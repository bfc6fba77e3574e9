variable "container_insights" {
  description = "Whether detailed metrics are collected."
  type        = bool
  default     = true
}

variable "capacity_providers" {
  description = "Where tasks may run."
  type        = set(string)
  default     = ["FARGATE"]

  validation {
    condition     = alltrue([for provider in var.capacity_providers : contains(["FARGATE", "FARGATE_SPOT"], provider)])
    error_message = "Capacity providers are FARGATE and FARGATE_SPOT."
  }
}

variable "services" {
  description = "Services by name."
  type = map(object({
    image         = string
    cpu           = optional(number, 256)
    memory        = optional(number, 512)
    desired_count = optional(number, 1)
    port          = optional(number, 8080)
    environment   = optional(map(string), {})
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for service in var.services : contains([256, 512, 1024, 2048, 4096], service.cpu)])
    error_message = "CPU is 256, 512, 1024, 2048 or 4096 units."
  }

  validation {
    condition     = alltrue([for service in var.services : service.desired_count >= 0 && service.desired_count <= 50])
    error_message = "A service runs from 0 to 50 tasks."
  }
}
