"""DescribeSpotPriceHistory with prices that differ by zone."""

from __future__ import annotations

import time

from moto.core.responses import ActionResult
from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS
from moto.ec2.responses.spot_instances import SpotInstances

from standins.ec2.access import call_of
from standins.spot_prices import spot_price


def describe_spot_price_history(self: SpotInstances) -> ActionResult:
    self.error_on_dryrun()
    form = call_of(self)["form"]
    types = {value for name, value in form.items() if name.startswith("InstanceType.")}
    zones = {form["AvailabilityZone"]} if form.get("AvailabilityZone") else set()
    filters = {f["Name"]: set(f.get("Values", [])) for f in self._get_param("Filters", [])}
    types |= filters.get("instance-type", set())
    zones |= filters.get("availability-zone", set())
    offered = INSTANCE_TYPE_OFFERINGS["availability-zone"].get(self.region, [])
    history = [
        {
            "InstanceType": offer["InstanceType"],
            "ProductDescription": "Linux/UNIX",
            "SpotPrice": spot_price(offer["InstanceType"], offer["Location"]),
            "AvailabilityZone": offer["Location"],
            "Timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - 3600)),
        }
        for offer in offered
        if (not types or offer["InstanceType"] in types) and (not zones or offer["Location"] in zones)
    ]
    return ActionResult({"SpotPriceHistory": history})
