"""What follows from the declarations of kinds: Pulumi classes, template, reference pages, examples. `make generate`."""
