output "vpc_id" {
  description = "Id of the VPC; null when disabled."
  value       = one(terraform_data.vpc[*].id)
}

output "cidr_block" {
  description = "IPv4 range of the VPC."
  value       = var.cidr_block
}

output "private_subnet_ids" {
  description = "Ids of the private subnets, by availability zone."
  value       = { for zone, subnet in terraform_data.private_subnet : zone => subnet.id }
}

output "public_subnet_ids" {
  description = "Ids of the public subnets, by availability zone."
  value       = { for zone, subnet in terraform_data.public_subnet : zone => subnet.id }
}

output "nat_gateway_ids" {
  description = "Ids of the NAT gateways, by availability zone."
  value       = { for zone, gateway in terraform_data.nat_gateway : zone => gateway.id }
}
