"""Typing into the checker, key by key, in a policy of the size that accounts have."""

from __future__ import annotations

import json

from browser.checker import SIX, Checker

# From the key until verdict and underlines have changed for the last time before the browser draws its next frame.
WATCH = """
const watch = (editor, changing) => {
  window.took = [];
  let pressed = 0, changed = 0;
  const noted = () => { changed = performance.now(); };
  const all = { childList: true, subtree: true, characterData: true, attributes: true };
  for (const one of changing) new MutationObserver(noted).observe(one, all);
  editor.addEventListener('keydown', () => {
    pressed = performance.now();
    requestAnimationFrame(() => window.took.push(changed - pressed));
  }, true);
};
"""
WATCH_CHECKER = f"""{WATCH}
const editor = document.querySelector('.checker-host').shadowRoot;
watch(editor, [editor.querySelector('.cm-content'), document.querySelector('.checker-verdict')]);
"""


def six_kilobytes() -> str:
    """Sprinters' permissions among those of a deployment, as such policies grow in real life."""
    services = ["s3", "sqs", "sns", "logs", "lambda", "dynamodb", "kms", "ecr", "ecs"]
    own = {"Sid": "Sprinters", "Effect": "Allow", "Action": SIX, "Resource": "*"}
    others = [
        {
            "Sid": f"Deploy{name.capitalize()}",
            "Effect": "Allow",
            "Action": [f"{name}:Create*", f"{name}:Delete*", f"{name}:Describe*", f"{name}:List*", f"{name}:Tag*"],
            "Resource": [f"arn:aws:{name}:eu-central-1:111122223333:deploy/{n}/*" for n in range(4)],
            "Condition": {"StringEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1"]}},
        }
        for name in services
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": [own, *others]}, indent=2)


class Typing:
    """Types into the name of a permission, so that each key changes the verdict, the underlines and the list."""

    def __init__(self, checker: Checker) -> None:
        self.page = checker.page
        checker.write(six_kilobytes())
        self.page.keyboard.press("Control+Home")
        checker.editor.get_by_text('"ec2:RunInstances"').click()
        self.page.keyboard.press("End")
        self.page.keyboard.press("ArrowLeft")
        self.page.keyboard.press("ArrowLeft")
        self.page.evaluate(WATCH_CHECKER)
        self.pressed = 0

    def press(self, key: str) -> None:
        """Presses one key and waits for the frame that shows what followed."""
        self.pressed += 1
        self.page.keyboard.type(key)
        self.page.wait_for_function("pressed => window.took.length === pressed", arg=self.pressed)

    def took(self) -> list[float]:
        """Milliseconds, for each key."""
        took: list[float] = self.page.evaluate("window.took")
        return took
