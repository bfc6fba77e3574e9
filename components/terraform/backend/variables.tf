variable "bucket_name" {
  description = "Name of the bucket; null derives it from the context."
  type        = string
  default     = null

  validation {
    condition     = var.bucket_name == null || can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket_name))
    error_message = "A bucket name has 3 to 63 lower-case letters, digits, dots and hyphens."
  }
}

variable "force_destroy" {
  description = "Whether the bucket may be destroyed while it holds state."
  type        = bool
  default     = false
}

variable "noncurrent_version_days" {
  description = "Days that old versions of a state are kept."
  type        = number
  default     = 90

  validation {
    condition     = var.noncurrent_version_days >= 7 && var.noncurrent_version_days <= 3650
    error_message = "Keep old versions from 7 to 3650 days."
  }
}

variable "replication_region" {
  description = "Region that holds a second copy; null for none."
  type        = string
  default     = null
}

variable "lock_table_billing_mode" {
  description = "How the lock table is billed."
  type        = string
  default     = "PAY_PER_REQUEST"

  validation {
    condition     = contains(["PAY_PER_REQUEST", "PROVISIONED"], var.lock_table_billing_mode)
    error_message = "The mode is PAY_PER_REQUEST or PROVISIONED."
  }
}
