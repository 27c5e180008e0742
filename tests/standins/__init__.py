"""Stand-ins on loopback for everything Sprinters talks to: EC2, GitHub and Canonical's image index.

`python -m standins` starts them all and prints the environment that points the binary at them.
"""
