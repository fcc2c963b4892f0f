"""The CloudFormation side: one Lambda function behind every ``Custom::`` type of aws-associations."""
