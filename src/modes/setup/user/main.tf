# What Sprinters needs to launch runners in this account: a user with an access key.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = ">= 5.0" }
  }
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

resource "aws_iam_user" "sprinters" {
  name = "sprinters-user"
}

resource "aws_iam_user_policy_attachment" "sprinters" {
  user       = aws_iam_user.sprinters.name
  policy_arn = aws_iam_policy.sprinters.arn
}

resource "aws_iam_access_key" "sprinters" {
  user = aws_iam_user.sprinters.name
}

output "key_id" {
  description = "The secret AWS_ACCESS_KEY_ID"
  value       = aws_iam_access_key.sprinters.id
}

output "key_secret" {
  description = "The secret AWS_SECRET_ACCESS_KEY; it is in Terraform's state as well"
  value       = aws_iam_access_key.sprinters.secret
  sensitive   = true
}
