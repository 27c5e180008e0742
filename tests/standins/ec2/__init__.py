"""The EC2 stand-in's own process: moto with IAM enforced, and with what EC2 does that moto 5.2 does not.

Tests never start this by hand; `standins.aws` does.

What moto does by itself, tried: RunInstances keeps user data, tags on instances and volumes, spot, subnets, security
groups, MetadataOptions, client tokens and placement; DryRun answers `DryRunOperation` for RunInstances,
TerminateInstances, DescribeInstances, ModifyVolume and CreateTags, whether or not the resource exists.

What it does not, and what therefore stands here:

* A refused call answers `AccessDenied` in IAM's XML. EC2 answers `UnauthorizedOperation`, in EC2's, with status 403.
* AssumeRoleWithWebIdentity gives any role to any token. `sts.py` checks the token and the role's trust policy.
* RunInstances with tags needs `ec2:CreateTags` too, and with an instance profile `iam:PassRole`. moto checks neither.
* Policies are matched by action alone; `policy.py` evaluates resources and conditions too.
* DryRun is ignored by DescribeSpotPriceHistory, whose prices are all 0.00001 and dated 2006.
* A client token is echoed and not honoured, and DescribeInstances knows no filter `client-token`.
* An instance runs at once and is gone at once. Here it is `pending` and `shutting-down` for as long as the caller's
  `Behaviour` says, and unknown for as long as it says too (eventual consistency).
* Termination protection ends the instances before the protected one; EC2 ends none of a call. Pages and filters have
  no bounds, and neither has the performance of a volume.
* No instance ends by itself: `control.py` powers one off, with a StateReason.
* Any image, type and architecture may be combined, any tag and any length of user data are taken; EC2 refuses.
* A block device without a size is refused; EC2 takes the image's. Iops and Throughput are dropped.

`Behaviour` arrives with each request in the header `X-Standins`, which no client sends and the proxy adds: so one moto
serves tests of very different minds at once.
"""
