"""The checker against AWS's own managed policies, as moto bundles them: no error that AWS does not see as well."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from moto.iam.aws_managed_policies import aws_managed_policies_data

ACTION, SERVICE = "INVALID_ACTION", "INVALID_SERVICE_IN_ACTION"
PRINCIPAL, QUALIFIER = "INVALID_SERVICE_PRINCIPAL_FORMAT", "MISSING_QUALIFIER"

# The policies in which IAM Access Analyzer itself finds errors: its recorded answers are in github.com/zoph-io/MAMIP.
ERRORS_THAT_AWS_FINDS = {
    "AWSAuditManagerAdministratorAccess": {QUALIFIER},
    "AWSCodeStarFullAccess": {ACTION},
    "AWSIAMIdentityCenterAllowListForIdentityContext": {ACTION},
    "AmazonDataZoneGlueManageAccessRolePolicy": {"INVALID_SERVICE_CONDITION_KEY"},
    "AmazonDataZoneSageMakerEnvironmentRolePermissionsBoundary": {SERVICE},
    "AmazonSageMakerFullAccess": {SERVICE},
    "BatchServiceRolePolicy": {"INVALID_SERVICE"},
    "CloudTrailEventContext": {QUALIFIER},
    "CloudWatchApplicationSignalsFullAccess": {PRINCIPAL},
    "CloudWatchApplicationSignalsReadOnlyAccess": {PRINCIPAL},
    "MemoryDBServiceRolePolicy": {ACTION},
    "RDSCloudHsmAuthorizationRole": {ACTION},
    "ResourceGroupsTaggingAPITagUntagSupportedResources": {SERVICE},
    # Newer than the recorded answers; `vpc-endpoint:*` is not a resource of EC2's.
    "DBModProvisioningAndMigration": {"INVALID_ARN_RESOURCE"},
    # Too long for Access Analyzer, so that no answer is recorded; the same lines are errors in the policies above.
    "SageMakerStudioProjectProvisioningRolePolicy": {PRINCIPAL, QUALIFIER},
}


def test_no_error_that_aws_does_not_find(binary: Path, tmp_path: Path) -> None:
    policies = json.loads(aws_managed_policies_data)
    for name, policy in policies.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(policy["Document"], indent=2))
    command: list[str | Path] = [binary, "policy", "--format", "json", tmp_path / "*.json"]
    run = subprocess.run(command, env={}, capture_output=True, text=True, check=False)
    found: dict[str, set[str]] = {}
    reports = json.loads(run.stdout)
    for report in reports:
        codes = {finding["issueCode"] for finding in report["findings"] if finding["findingType"] == "ERROR"}
        if codes:
            found[Path(report["file"]).stem] = codes
    print(f"{len(reports)} managed policies, errors in {len(found)}")
    assert len(reports) == len(policies) > 1_400
    assert found == ERRORS_THAT_AWS_FINDS
