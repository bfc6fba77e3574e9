variable "roles" {
  description = "Roles by name: who may assume them and what they allow."
  type = map(object({
    description          = optional(string, "")
    trusted_principals   = set(string)
    policies             = optional(set(string), [])
    max_session_duration = optional(number, 3600)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for role in var.roles : role.max_session_duration >= 900 && role.max_session_duration <= 43200])
    error_message = "A session lasts from 900 to 43200 seconds."
  }
}

variable "password_policy" {
  description = "Password rules of the account; null leaves them alone."
  type = object({
    minimum_length  = optional(number, 14)
    require_symbols = optional(bool, true)
    max_age_days    = optional(number, 90)
  })
  default = null
}

variable "permissions_boundary" {
  description = "Policy that bounds every role; null for none."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary == null || can(regex("^arn:aws:iam::[0-9]*:policy/", var.permissions_boundary))
    error_message = "The boundary is the ARN of an IAM policy."
  }
}

variable "oidc_provider_urls" {
  description = "Addresses of OpenID Connect providers whose workloads may assume roles."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for url in var.oidc_provider_urls : can(regex("^https://", url))])
    error_message = "Providers are addressed by https."
  }
}
