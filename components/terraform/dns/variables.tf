variable "zone_name" {
  description = "Domain of the zone, without a trailing dot."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9-]+\\.)+[a-z]{2,}$", var.zone_name))
    error_message = "A zone name is a lower-case domain without a trailing dot."
  }
}

variable "parent_zone_name" {
  description = "Zone that delegates to this one; null when nobody does."
  type        = string
  default     = null
}

variable "private_zone" {
  description = "Whether the zone answers inside a VPC only."
  type        = bool
  default     = false
}

variable "vpc_id" {
  description = "VPC that a private zone answers in."
  type        = string
  default     = null
}

variable "query_logging_enabled" {
  description = "Whether queries are logged."
  type        = bool
  default     = false
}

variable "records" {
  description = "Records by name relative to the zone."
  type = map(object({
    type   = optional(string, "CNAME")
    ttl    = optional(number, 300)
    values = list(string)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for record in var.records : contains(["A", "AAAA", "CNAME", "MX", "TXT"], record.type)])
    error_message = "A record is A, AAAA, CNAME, MX or TXT."
  }
}
