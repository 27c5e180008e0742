"""Errors as moto can raise them."""

from __future__ import annotations

from werkzeug.exceptions import HTTPException

from standins.ec2.xml import error_xml


class Ec2Error(HTTPException):
    """An error in EC2's own XML and with EC2's status."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(error_xml(code, message))
        self.code = status
