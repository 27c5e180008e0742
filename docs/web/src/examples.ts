import plainSix from "../../src/policies/plain_six.json";
import publishedRole from "../../src/policies/published_role.json";
import tight from "../../src/policies/tight.json";

export interface Example {
  name: string;
  text: string;
}

const policy = (...statements: object[]): string =>
  `${JSON.stringify({ Version: "2012-10-17", Statement: statements }, null, 2)}\n`;

const SIX = [
  "ec2:RunInstances",
  "ec2:CreateTags",
  "ec2:DescribeInstances",
  "ec2:ModifyVolume",
  "ec2:TerminateInstances",
  "ec2:DescribeSpotPriceHistory",
];

const OURS = { StringEquals: { "aws:ResourceTag/sprinters:sprinters": "true" } };

export const GOOD: Example[] = [
  { name: "The six permissions", text: plainSix },
  { name: "Tight: one region, Sprinters' tag", text: tight },
  { name: "The role that Sprinters' hosted service publishes", text: publishedRole },
];

export const BROKEN: Example[] = [
  {
    name: "A typo and a missing permission",
    text: policy({
      Sid: "sprinters",
      Effect: "Allow",
      Action: ["ec2:RunInstance", "ec2:CreateTags", "ec2:DescribeInstances", "ec2:TerminateInstances"],
      Resource: "*",
    }),
  },
  {
    name: "A trap: tagging is free for all",
    text: policy(
      { Sid: "Launch", Effect: "Allow", Action: SIX.filter((action) => action !== "ec2:TerminateInstances"), Resource: "*" },
      { Sid: "EndOwn", Effect: "Allow", Action: "ec2:TerminateInstances", Resource: "*", Condition: OURS },
    ),
  },
  {
    name: "A trap: a launch that can never work",
    text: policy({ Sid: "OwnOnly", Effect: "Allow", Action: SIX, Resource: "*", Condition: OURS }),
  },
  {
    name: "A trap: variables under the old version",
    text: policy({
      Sid: "Own",
      Effect: "Allow",
      Action: SIX,
      Resource: "*",
      Condition: { StringEquals: { "aws:PrincipalTag/team": "${aws:RequestTag/team}" } },
    }).replace("2012-10-17", "2008-10-17"),
  },
  {
    name: "Allowed here, denied there",
    text: policy(
      { Sid: "Six", Effect: "Allow", Action: SIX, Resource: "*" },
      { Sid: "NoDescribe", Effect: "Deny", Action: "ec2:Describe*", Resource: "*" },
    ),
  },
  {
    name: "No JSON: a trailing comma",
    text: `{\n  "Version": "2012-10-17",\n  "Statement": [\n    {\n      "Effect": "Allow",\n      "Action": ["ec2:RunInstances", "ec2:CreateTags",],\n      "Resource": "*"\n    }\n  ]\n}\n`,
  },
];
