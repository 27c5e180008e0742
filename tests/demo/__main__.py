"""`make demo`: a runner from start to stop, and one that comes by itself, on this machine, without an AWS account."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from demo.chapters import play
from demo.stage import NotReady, Stage
from demo.story import Story


def main() -> int:
    story = Story(sys.stdout)
    story.title("Sprinters: start a runner, run a job, stop it, on this machine and without an AWS account")
    try:
        with tempfile.TemporaryDirectory(prefix="sprinters-demo-") as folder, Stage(story, Path(folder)) as stage:
            return play(story, stage)
    except NotReady as problem:
        story.problem(str(problem))
    except KeyboardInterrupt:
        story.problem("interrupted; everything that was started has been ended")
    return 1


if __name__ == "__main__":
    sys.exit(main())
