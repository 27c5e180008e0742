"""The process: prints its port as one line of JSON, and ends when its standard input does.

So it cannot outlive whoever started it.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading

os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "0"
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"

from moto.ec2.models.amis import Ami, AmiBackend
from moto.ec2.responses._base_response import EC2BaseResponse
from moto.ec2.responses.amis import AmisResponse
from moto.ec2.responses.instances import InstanceResponse
from moto.ec2.responses.spot_instances import SpotInstances
from moto.ec2.utils import filter_dict_attribute_mapping
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from moto.sts.responses import TokenResponse
from werkzeug.serving import make_server

from standins.ec2 import access, bake, launch, life, spot, sts
from standins.ec2.control import with_control
from standins.ec2.errors import Ec2Error


def refuse_dry_run(self: EC2BaseResponse) -> None:
    if self._get_param("DryRun", False):
        raise Ec2Error(412, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.")


def replace(owner: type, name: str, replacement: object) -> None:
    if not hasattr(owner, name):
        raise AttributeError(f"moto's `{owner.__name__}` has no `{name}`; adapt the stand-in to moto's new version")
    setattr(owner, name, replacement)


def amend_moto() -> None:
    replace(EC2BaseResponse, "_authenticate_and_authorize_normal_action", access.authenticate_and_authorize)
    replace(EC2BaseResponse, "error_on_dryrun", refuse_dry_run)
    replace(InstanceResponse, "run_instances", launch.run_instances)
    replace(InstanceResponse, "describe_instances", life.describe_instances)
    replace(InstanceResponse, "terminate_instances", life.terminate_instances)
    replace(InstanceResponse, "_validate_block_device_mapping", staticmethod(launch.size_from_image))
    replace(SpotInstances, "describe_spot_price_history", spot.describe_spot_price_history)
    replace(Ami, "block_device_mappings", property(launch.block_devices))
    replace(AmiBackend, "_load_amis", launch.load_images)
    replace(AmisResponse, "create_image", bake.create_image)
    replace(AmisResponse, "describe_images", bake.describe_images)
    replace(AmisResponse, "deregister_image", bake.deregister_image)
    replace(TokenResponse, "_authenticate_and_authorize_normal_action", sts.authorize)
    replace(TokenResponse, "assume_role_with_web_identity", sts.assume_role_with_web_identity)
    filter_dict_attribute_mapping["client-token"] = "client_token"


class _KeepAlive(MotoRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # Head and body in one segment.


def main() -> None:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    amend_moto()
    app = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, with_control(app), threaded=True, request_handler=_KeepAlive)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"port": server.server_port}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
