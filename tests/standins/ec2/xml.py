"""Errors as EC2 puts them on the wire."""

from __future__ import annotations


def error_xml(code: str, message: str) -> str:
    escaped = message.replace("&", "&amp;").replace("<", "&lt;")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Response><Errors><Error><Code>{code}</Code><Message>{escaped}</Message></Error></Errors>"
        "<RequestID>5b8e7a3c-8f6e-4a1e-9a55-000000000000</RequestID></Response>"
    )
