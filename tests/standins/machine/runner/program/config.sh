#!/bin/bash
echo "The stand-in takes a just-in-time configuration only" >&2
exit 1
