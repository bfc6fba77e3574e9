variable "api_name" {
  description = "Name of the API; null derives it from the context."
  type        = string
  default     = null
}

variable "protocol" {
  description = "What the API speaks."
  type        = string
  default     = "HTTP"

  validation {
    condition     = contains(["HTTP", "WEBSOCKET"], var.protocol)
    error_message = "The protocol is HTTP or WEBSOCKET."
  }
}

variable "domain_name" {
  description = "Custom domain; null for the gateway's own."
  type        = string
  default     = null
}

variable "cors" {
  description = "Cross-origin rules; null for none."
  type = object({
    allow_origins = set(string)
    allow_methods = optional(set(string), ["GET", "POST"])
    max_age       = optional(number, 3600)
  })
  default = null
}

variable "throttling" {
  description = "Requests a second: steady and in a burst."
  type = object({
    rate  = optional(number, 100)
    burst = optional(number, 200)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.throttling.rate >= 1 && var.throttling.rate <= 10000 && var.throttling.burst >= var.throttling.rate
    error_message = "The rate lies between 1 and 10000 and the burst is not below it."
  }
}

variable "routes" {
  description = "Routes such as \"GET /orders\", each with its target."
  type = map(object({
    target        = string
    authorization = optional(string, "JWT")
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for route in keys(var.routes) : can(regex("^(ANY|GET|POST|PUT|PATCH|DELETE) /", route))])
    error_message = "A route is a method, a space and a path."
  }
}
