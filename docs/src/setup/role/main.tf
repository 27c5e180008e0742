# What Sprinters needs to launch runners in this account: a role that one GitHub repository may assume.

terraform {
  required_providers {
    aws    = { source = "hashicorp/aws", version = ">= 5.0" }
    github = { source = "integrations/github", version = ">= 6.0" }
  }
}

variable "repository" {
  description = "The repository that may assume the role, such as octo/app"
  type        = string
}

variable "create_provider" {
  description = "false where this account knows GitHub as an identity provider already"
  type        = bool
  default     = true
}

data "aws_caller_identity" "current" {}

data "github_repository" "this" {
  full_name = var.repository
}

data "github_user" "owner" {
  username = local.owner
}

locals {
  issuer   = "token.actions.githubusercontent.com"
  owner    = split("/", var.repository)[0]
  name     = split("/", var.repository)[1]
  provider = "arn:aws:iam::${data.aws_caller_identity.current.account_id}:oidc-provider/${local.issuer}"
}

resource "aws_iam_openid_connect_provider" "github" {
  count          = var.create_provider ? 1 : 0
  url            = "https://${local.issuer}"
  client_id_list = ["sts.amazonaws.com"]
}

resource "aws_iam_policy" "sprinters" {
  name = "sprinters-policy"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid    = "sprinters"
      Effect = "Allow"
      Action = [
        "ec2:RunInstances",
        "ec2:CreateTags",
        "ec2:DescribeInstances",
        "ec2:ModifyVolume",
        "ec2:TerminateInstances",
        "ec2:DescribeSpotPriceHistory",
      ]
      Resource = "*"
    }]
  })
}

resource "aws_iam_role" "sprinters" {
  name = "sprinters-role"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = local.provider }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = { "${local.issuer}:aud" = "sts.amazonaws.com" }
        StringLike = {
          "${local.issuer}:sub" = [
            # Its ids never go to anybody else. Narrower: end both with `:environment:aws` or `:ref:refs/heads/main`.
            "repo:${local.owner}@${data.github_user.owner.id}/${local.name}@${data.github_repository.this.repo_id}:*",
            "repo:${var.repository}:*",
          ]
        }
      }
    }]
  })

  depends_on = [aws_iam_openid_connect_provider.github]
}

resource "aws_iam_role_policy_attachment" "sprinters" {
  role       = aws_iam_role.sprinters.name
  policy_arn = aws_iam_policy.sprinters.arn
}

output "role_arn" {
  description = "The input aws-role-arn"
  value       = aws_iam_role.sprinters.arn
}
