"""Everything that the story needs: EC2, GitHub, an image to boot, a user with six permissions, and the action."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from demo.story import Story
from standins import images, machine, openapi, program
from standins.aws import PLAIN_SIX, Ec2, Instance, Moto
from standins.booted import booted
from standins.cloud import Behaves, Cloud, Life, simulated
from standins.github import GitHub
from standins.machine.root import root
from standins.machine.runner import tarball
from standins.program import ROOT, Program, Running

PROFILES = """\
runners:
  linux-x64: { instance-type: m7i.large, spot: auto, max-runners: 3 }
"""


class NotReady(Exception):
    """Something is missing that the demo cannot bring about itself; the message says how to get it."""


class Stage:
    def __init__(self, story: Story, folder: Path) -> None:
        self._story = story
        self._folder = folder
        self._open = ExitStack()

    def __enter__(self) -> Stage:
        try:
            self._set()
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def _set(self) -> None:
        story = self._story
        story.phase("Setting the stage")
        action_path = self._action_path_taken = self._action_path()
        self.simulated_because = self._why_simulated()
        if self.simulated_because is None:
            with story.doing("the instances' image: Debian with systemd and cloud-init"):
                root()
        else:
            story.paragraph(
                f"The instance is simulated in this run: {self.simulated_because}. With root, a Debian system would "
                "boot the user data for real. Everything else is the same."
            )
        with story.doing("EC2: moto with IAM enforced, and a user who may do exactly this:"):
            moto = self._open.enter_context(Moto())
            self.ec2 = self._open.enter_context(Ec2(moto))
            # On EC2 an instance takes seconds to go; here nobody wants to wait for that.
            self.ec2.behaviour.shutting_down = 0.5
        story.quote([" ".join(PLAIN_SIX[:3]), " ".join(PLAIN_SIX[3:])])
        self._start_github()
        self.index = images.ImageIndex()
        self._open.callback(self.index.close)
        self.cloud = self._open.enter_context(Cloud(self.ec2, self.github, self._life()))
        self.step = self._step(action_path)
        self._open.callback(self.step.close)

    def _start_github(self) -> None:
        self.validated = openapi.available()
        held = "each exchange held against" if self.validated else "without"
        with self._story.doing(f"GitHub: a stand-in, {held} GitHub's OpenAPI description"):
            archive = tarball(self._folder)
            self.github = self._open.enter_context(GitHub(openapi_validation=self.validated, archive=archive))
        if not self.validated:
            self._story.paragraph("(`.ci/setup node` fetches the description; the demo does without.)")

    def listen(self) -> Running:
        """`sprinters listen` at a terminal, in a folder with `.github/sprinters.yml`."""
        folder = self._folder / "project"
        (folder / ".github").mkdir(parents=True)
        (folder / ".github" / "sprinters.yml").write_text(PROFILES)
        said = self._folder / "terminal"
        said.mkdir()
        for name in ("stdout", "stderr", "output", "summary"):
            (said / name).touch()
        kept = ("PATH", "HOME", "AWS_ENDPOINT_URL_EC2", "GITHUB_API_URL", "SPRINTERS_IMAGE_INDEX_URL", "NO_COLOR")
        environment = {name: self.step.environment[name] for name in (*kept, "GITHUB_REPOSITORY")}
        environment |= self.ec2.environment | {"AWS_EC2_METADATA_DISABLED": "true"}
        environment["SPRINTERS_TOKEN"] = str(self.step.inputs["github-token"])
        arguments = [str(self._action_path_taken / "dist" / program.dist_binary().name), "listen"]
        with (said / "stdout").open("wb") as stdout, (said / "stderr").open("wb") as stderr:
            began = time.monotonic()
            process = subprocess.Popen(arguments, env=environment, cwd=folder, stdout=stdout, stderr=stderr)
        running = Running(process, began, said, environment, arguments)
        # Ended with the others, and searched for secrets like them.
        self.step.runs.append(running)
        return running

    def _action_path(self) -> Path:
        """The folder that GitHub calls GITHUB_ACTION_PATH: this checkout, with the program in dist/."""
        built = program.dist_binary()
        named = os.environ.get("SPRINTERS_BIN")
        if named:
            copy = self._folder / "action" / "dist"
            copy.mkdir(parents=True)
            (copy / built.name).symlink_to(Path(named).resolve())
            self._story.tick(f"action.yml with the program {named}")
            return copy.parent
        if not built.exists():
            raise NotReady(f"there is no {built.relative_to(ROOT)}: run `make dist`, which builds it")
        self._story.tick(f"action.yml with the program {built.relative_to(ROOT)}")
        return ROOT

    @staticmethod
    def _why_simulated() -> str | None:
        missing = machine.available()
        if missing:
            return missing
        # Root in a container may still lack what it takes.
        able = subprocess.run(["unshare", "--mount", "--net", "true"], capture_output=True, check=False)
        if able.returncode:
            return "this root may not make namespaces (a container without CAP_SYS_ADMIN)"
        return None

    def _life(self) -> Callable[[Cloud, Instance], Life]:
        if self.simulated_because is None:
            return booted()
        return simulated(Behaves(online_after=3.0, job_takes=1.0))

    def _step(self, action_path: Path) -> Program:
        environment = {
            **program.job_environment(self._folder),
            "GITHUB_ACTION_PATH": str(action_path),
            "AWS_ENDPOINT_URL_EC2": self.ec2.url,
            "GITHUB_API_URL": self.github.url,
            "GITHUB_SERVER_URL": self.github.server_url,
            "SPRINTERS_IMAGE_INDEX_URL": self.index.url,
        }
        if shutil.which("sh") is None:
            raise NotReady("there is no `sh`, which the action's step runs in")
        secrets: dict[str, object] = {
            "github-token": self.github.add_token().value,
            "aws-access-key-id": self.ec2.access_key_id,
            "aws-secret-access-key": self.ec2.secret_access_key,
            "aws-region": self.ec2.region,
        }
        return Program(program.action_step(), environment, secrets, self._folder / "steps")
