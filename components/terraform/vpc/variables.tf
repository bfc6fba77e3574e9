variable "name" {
  description = "Name of the VPC; null derives it from the context."
  type        = string
  default     = null
}

variable "cidr_block" {
  description = "IPv4 range of the VPC, from /16 to /24."
  type        = string

  validation {
    condition     = can(cidrhost(var.cidr_block, 0)) && can(regex("/(1[6-9]|2[0-4])$", var.cidr_block))
    error_message = "The range is IPv4 in CIDR notation, from /16 to /24."
  }
}

variable "availability_zones" {
  description = "Zones to put subnets in, best first."
  type        = list(string)

  validation {
    condition     = length(var.availability_zones) >= 1 && length(var.availability_zones) <= 6
    error_message = "Name one to six availability zones."
  }
}

variable "max_zones" {
  description = "How many of the zones to use at most."
  type        = number
  default     = 3

  validation {
    condition     = var.max_zones >= 1 && var.max_zones <= 6
    error_message = "Use one to six zones."
  }
}

variable "public_subnets_enabled" {
  description = "Whether the VPC has public subnets."
  type        = bool
  default     = true
}

variable "nat_gateway_strategy" {
  description = "How private subnets reach the internet: none, single or per_zone."
  type        = string
  default     = "single"

  validation {
    condition     = contains(["none", "single", "per_zone"], var.nat_gateway_strategy)
    error_message = "The strategy is none, single or per_zone."
  }
}

variable "enable_dns_hostnames" {
  description = "Whether instances get DNS names."
  type        = bool
  default     = true
}

variable "flow_logs" {
  description = "Flow logs of the VPC."
  type = object({
    enabled        = optional(bool, true)
    traffic_type   = optional(string, "ALL")
    retention_days = optional(number, 30)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["ALL", "ACCEPT", "REJECT"], var.flow_logs.traffic_type)
    error_message = "The traffic type is ALL, ACCEPT or REJECT."
  }
}
