// What a word in a field must look like, as regular expressions. The program reads the same words; tests/contract/test_page_fields.py compares the two.

/** An area that has regions, a direction and a number: a region that is misspelt would make a policy that allows nothing. */
export const REGION =
  "(af|ap|ca|cn|eu|eu-isoe|eusc-de|il|me|mx|sa|us|us-gov|us-iso[bfg]?)-(central|(north|south)(east|west)?|east|west)-[1-9]";
export const ACCOUNT = "[0-9]{12}";
export const REPOSITORY = "[A-Za-z0-9._\\-]+/[A-Za-z0-9._\\-]+";
export const IMAGE = "ami-([0-9a-f]{8}|[0-9a-f]{17})";
export const SUBNET = "subnet-([0-9a-f]{8}|[0-9a-f]{17})";
export const SECURITY_GROUP = "sg-([0-9a-f]{8}|[0-9a-f]{17})";
export const INSTANCE_TYPE = "(?!mac)[a-z][a-z\\-]*[0-9][a-z0-9\\-]*\\.(nano|micro|small|medium|large|[0-9]*xlarge|metal(-[0-9]*xl)?)";
export const ROLE = "[A-Za-z0-9+=.@_\\-]+(\\/[A-Za-z0-9+=.@_\\-]+)*";
