variable "certificates" {
  description = "Certificates by name: the domain and its alternatives."
  type = map(object({
    domain_name               = string
    subject_alternative_names = optional(set(string), [])
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for certificate in var.certificates : can(regex("^(\\*\\.)?([a-z0-9-]+\\.)+[a-z]{2,}$", certificate.domain_name))])
    error_message = "A domain name is lower-case and fully qualified; a leading *. is allowed."
  }
}

variable "validation_method" {
  description = "How ownership of the domain is shown."
  type        = string
  default     = "DNS"

  validation {
    condition     = contains(["DNS", "EMAIL"], var.validation_method)
    error_message = "The method is DNS or EMAIL."
  }
}

variable "key_algorithm" {
  description = "Algorithm of the key pair."
  type        = string
  default     = "EC_prime256v1"

  validation {
    condition     = contains(["RSA_2048", "EC_prime256v1", "EC_secp384r1"], var.key_algorithm)
    error_message = "The algorithm is RSA_2048, EC_prime256v1 or EC_secp384r1."
  }
}

variable "rotation" {
  description = "Raise it by one to issue every certificate anew."
  type        = number
  default     = 1

  validation {
    condition     = var.rotation >= 1 && floor(var.rotation) == var.rotation
    error_message = "The rotation is a whole number from 1."
  }
}
