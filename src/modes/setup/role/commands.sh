repository=octo/app # yours
account=$(aws sts get-caller-identity --query Account --output text)
issuer=token.actions.githubusercontent.com
provider=arn:aws:iam::$account:oidc-provider/$issuer

# GitHub as an identity provider, once per account.
aws iam get-open-id-connect-provider --open-id-connect-provider-arn "$provider" >/dev/null 2>&1 ||
  aws iam create-open-id-connect-provider --url "https://$issuer" --client-id-list sts.amazonaws.com

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

# Who may take the role: this repository, by its ids, which never go to anybody else, and by its name.
subjects=$(gh api "repos/$repository" --jq '["repo:\(.owner.login)@\(.owner.id)/\(.name)@\(.id):*", "repo:\(.full_name):*"]')
aws iam create-role --role-name sprinters-role --assume-role-policy-document '{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": { "Federated": "'"$provider"'" },
      "Action": "sts:AssumeRoleWithWebIdentity",
      "Condition": {
        "StringEquals": { "'$issuer':aud": "sts.amazonaws.com" },
        "StringLike": { "'$issuer':sub": '"$subjects"' }
      }
    }
  ]
}'
aws iam attach-role-policy --role-name sprinters-role --policy-arn "arn:aws:iam::$account:policy/sprinters-policy"
aws iam get-role --role-name sprinters-role --query Role.Arn --output text
