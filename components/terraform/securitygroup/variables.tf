variable "vpc_id" {
  description = "VPC that the groups belong to; null for the account's default one."
  type        = string
  default     = null
}

variable "security_groups" {
  description = "Groups by name, each with its rules."
  type = map(object({
    description        = string
    egress_cidr_blocks = optional(set(string), ["0.0.0.0/0"])
    ingress = optional(list(object({
      protocol    = optional(string, "tcp")
      from_port   = number
      to_port     = optional(number)
      cidr_blocks = set(string)
    })), [])
  }))
  default  = {}
  nullable = false

  validation {
    condition = alltrue(flatten([
      for group in var.security_groups : [for rule in group.ingress : rule.from_port >= 0 && rule.from_port <= 65535]
    ]))
    error_message = "Ports lie between 0 and 65535."
  }

  validation {
    condition     = alltrue([for name in keys(var.security_groups) : can(regex("^[a-z][a-z0-9-]*$", name))])
    error_message = "Group names are lower-case words joined by hyphens."
  }
}
