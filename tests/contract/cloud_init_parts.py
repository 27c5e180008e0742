"""Prints the content types that cloud-init makes of user data (standard input), one a line.

Run by Debian's Python with cloud-init's package on PYTHONPATH, the folder for its state as the only argument.
"""

import sys

from cloudinit.helpers import Paths
from cloudinit.user_data import UserDataProcessor

message = UserDataProcessor(Paths({"cloud_dir": sys.argv[1]})).process(sys.stdin.buffer.read())
for part in message.walk():
    if not part.is_multipart():
        print(part.get_content_type())
