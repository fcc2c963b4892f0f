"""Real programs on this machine that play AWS and Pulumi for the tests and the demo.

Each module starts one part, drives it and leaves nothing behind:

- `certificate`: a certificate for localhost.
- `response_sink`: the bucket behind a custom resource's ResponseURL, judging what is put there.
- `ministack`: a CloudFormation engine that runs the Lambda.
- `lambda_runtime`: the Lambda runtime API around the real runtime client.
- `pulumi_host`: the real host of Pulumi's dynamic providers, over gRPC.
- `pulumi_engine`: the real Pulumi CLI on a program's folder.

Nothing here knows what is being tested: modules, paths and environment come as arguments.
"""
