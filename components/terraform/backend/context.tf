# Where this component runs and whether it exists at all: the same in every component of the estate.

variable "enabled" {
  description = "Whether anything is created; false leaves the component in place and empty."
  type        = bool
  default     = true
}

variable "namespace" {
  description = "Organisation that everything belongs to."
  type        = string
  default     = null
}

variable "tenant" {
  description = "Tenant of the organisation."
  type        = string
  default     = null
}

variable "account" {
  description = "Cloud account, by its short name."
  type        = string
  default     = null
}

variable "environment" {
  description = "Environment within the account."
  type        = string
  default     = null
}

variable "stage" {
  description = "Stage of delivery."
  type        = string
  default     = null

  validation {
    condition     = var.stage == null || contains(["dev", "staging", "prod"], coalesce(var.stage, "dev"))
    error_message = "The stage is dev, staging or prod."
  }
}

variable "region" {
  description = "Cloud region, such as eu-west-2."
  type        = string
  default     = null

  validation {
    condition     = var.region == null || can(regex("^[a-z]{2}-[a-z]+-[0-9]$", var.region))
    error_message = "The region looks like eu-west-2."
  }
}

variable "tags" {
  description = "Tags for everything that this component creates."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(var.tags) <= 50
    error_message = "A resource takes at most 50 tags."
  }
}

locals {
  prefix = join("-", compact([var.namespace, var.tenant, var.environment, var.stage]))
}
