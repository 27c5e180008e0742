// An action as one writes it in JavaScript with GitHub's and AWS's own libraries: a just-in-time runner, its instance, and
// then asking every ten seconds until it is online. `make bench` measures it beside us, bundled into one file as such actions are.
import { setTimeout as sleep } from "node:timers/promises";
import * as core from "@actions/core";
import { context, getOctokit } from "@actions/github";
import { EC2Client, RunInstancesCommand, waitUntilInstanceRunning } from "@aws-sdk/client-ec2";

const POLL = 10_000;

async function start() {
  const octokit = getOctokit(core.getInput("github-token"));
  const name = `peer-${context.runId}-${Date.now()}`;
  const runners = `/repos/${context.repo.owner}/${context.repo.repo}/actions/runners`;
  const { data } = await octokit.request(`POST ${runners}/generate-jitconfig`, {
    name,
    runner_group_id: 1,
    labels: [name],
    work_folder: "_work",
  });
  const ec2 = new EC2Client({ region: process.env.AWS_REGION });
  const launched = await ec2.send(
    new RunInstancesCommand({
      ImageId: core.getInput("image"),
      InstanceType: core.getInput("instance-type"),
      MinCount: 1,
      MaxCount: 1,
      UserData: Buffer.from(`#!/bin/sh\n./run.sh --jitconfig ${data.encoded_jit_config}\n`).toString("base64"),
    }),
  );
  const instance = launched.Instances[0].InstanceId;
  core.setOutput("label", name);
  await waitUntilInstanceRunning({ client: ec2, maxWaitTime: 300 }, { InstanceIds: [instance] });
  for (;;) {
    await sleep(POLL);
    const { data: runner } = await octokit.request(`GET ${runners}/${data.runner.id}`);
    if (runner.status === "online") return;
  }
}

await start();
