account=$(aws sts get-caller-identity --query Account --output text)
aws iam create-policy --policy-name sprinters-policy --policy-document '{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "sprinters",
      "Effect": "Allow",
      "Action": [
        "ec2:RunInstances",
        "ec2:CreateTags",
        "ec2:DescribeInstances",
        "ec2:ModifyVolume",
        "ec2:TerminateInstances",
        "ec2:DescribeSpotPriceHistory"
      ],
      "Resource": "*"
    }
  ]
}'
aws iam create-user --user-name sprinters-user
aws iam attach-user-policy --user-name sprinters-user --policy-arn "arn:aws:iam::$account:policy/sprinters-policy"

# The key goes from AWS to GitHub without a stop on the screen or in a file. Run it in a clone of your repository.
aws iam create-access-key --user-name sprinters-user --query 'AccessKey.[AccessKeyId,SecretAccessKey]' --output text | {
  read -r id secret
  printf %s "$id" | gh secret set AWS_ACCESS_KEY_ID
  printf %s "$secret" | gh secret set AWS_SECRET_ACCESS_KEY
}
