"""How many policies a second parliament checks: `rate.py POLICY`."""

import sys
import time
from pathlib import Path

from parliament import analyze_policy_string

text = Path(sys.argv[1]).read_text()
analyze_policy_string(text)
best = 0.0
for _ in range(5):
    start, count = time.perf_counter(), 0
    while time.perf_counter() - start < 0.2:
        analyze_policy_string(text)
        count += 1
    best = max(best, count / (time.perf_counter() - start))
print(f"{best:.0f}")
