variable "identifier" {
  description = "Identifier of the database server; null derives it from the context."
  type        = string
  default     = null

  validation {
    condition     = var.identifier == null || can(regex("^[a-z][a-z0-9-]{0,62}$", var.identifier))
    error_message = "An identifier starts with a letter and has up to 63 lower-case letters, digits and hyphens."
  }
}

variable "engine" {
  description = "Database engine."
  type        = string
  default     = "postgres"

  validation {
    condition     = contains(["postgres", "mysql", "mariadb"], var.engine)
    error_message = "The engine is postgres, mysql or mariadb."
  }
}

variable "engine_version" {
  description = "Version of the engine."
  type        = string
  default     = "16.4"
}

variable "instance_class" {
  description = "Size of the server."
  type        = string
  default     = "db.t4g.medium"

  validation {
    condition     = can(regex("^db\\.[a-z0-9]+\\.[a-z0-9]+$", var.instance_class))
    error_message = "A class looks like db.t4g.medium."
  }
}

variable "storage" {
  description = "Storage in GiB: what is there at first, how far it grows, and its kind."
  type = object({
    allocated     = optional(number, 20)
    max_allocated = optional(number, 100)
    type          = optional(string, "gp3")
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.storage.allocated >= 20 && var.storage.allocated <= var.storage.max_allocated
    error_message = "Storage starts at 20 GiB or more and never above max_allocated."
  }
}

variable "multi_az" {
  description = "Whether a standby waits in a second zone."
  type        = bool
  default     = false
}

variable "backup_retention_period" {
  description = "Days that backups are kept; 0 keeps none."
  type        = number
  default     = 7

  validation {
    condition     = var.backup_retention_period >= 0 && var.backup_retention_period <= 35
    error_message = "Backups are kept from 0 to 35 days."
  }
}

variable "deletion_protection" {
  description = "Whether the server refuses to be deleted."
  type        = bool
  default     = true
}

variable "databases" {
  description = "Databases to create in the server."
  type        = set(string)
  default     = []
}

variable "parameters" {
  description = "Parameters of the engine."
  type        = map(string)
  default     = {}
}

variable "replicate_source" {
  description = "Server to replicate from; null for a primary."
  type        = string
  default     = null
}

variable "master_username" {
  description = "Name of the administrator."
  type        = string
  default     = "dbadmin"
}

variable "master_secret_name" {
  description = "Name of the entry in the secrets manager that holds the administrator's password."
  type        = string
  default     = null
}

variable "master_password" {
  description = "Password of the administrator, handed in at run time; null has the service generate it."
  type        = string
  default     = null
  sensitive   = true

  validation {
    condition     = var.master_password == null || length(coalesce(var.master_password, "-")) >= 16
    error_message = "The password has at least 16 characters."
  }
}
