variable "host_name" {
  description = "Name that the platform answers to."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9-]+\\.)+[a-z]{2,}$", var.host_name))
    error_message = "A host name is a lower-case domain."
  }
}

variable "image_version" {
  description = "Version of the platform's image."
  type        = string
  default     = "1.0.0"

  validation {
    condition     = can(regex("^[0-9]+\\.[0-9]+\\.[0-9]+$", var.image_version))
    error_message = "The version is exact, such as 1.0.0."
  }
}

variable "web" {
  description = "Size of the web tier."
  type = object({
    replicas = optional(number, 2)
    cpu      = optional(string, "500m")
    memory   = optional(string, "512Mi")
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.web.replicas >= 1 && var.web.replicas <= 20
    error_message = "The web tier has 1 to 20 replicas."
  }
}

variable "worker_count" {
  description = "Workers that carry out requests."
  type        = number
  default     = 1

  validation {
    condition     = var.worker_count >= 0 && var.worker_count <= 10
    error_message = "Run 0 to 10 workers."
  }
}

variable "sign_in" {
  description = "How people sign in; null leaves the platform with local accounts."
  type = object({
    issuer          = string
    client_id       = string
    allowed_domains = optional(set(string), [])
  })
  default = null
}

variable "features" {
  description = "Features by name and whether they are on."
  type        = map(bool)
  default     = {}
}
