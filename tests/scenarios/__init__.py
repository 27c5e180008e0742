"""The binary's whole contract, told as scenarios against the stand-ins."""
